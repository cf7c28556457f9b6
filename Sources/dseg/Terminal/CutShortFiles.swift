import Foundation

/// A mapped file that another program cuts short, as one that writes a new checkpoint over the old one does, ends a
/// process with a signal when the missing pages are read.
enum CutShortFiles {
  /// Ends the command with a message instead.
  static func watch() {
    signal(SIGBUS) { _ in
      // Nothing but these two may be called in a handler.
      let text: StaticString =
        "dseg: error: a file in use was cut short by another program, or its disk failed\n"
      _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
      _exit(65)
    }
  }
}
