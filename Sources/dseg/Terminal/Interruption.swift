import Foundation
import Synchronization

/// Ctrl-C and a polite request to end, noticed rather than obeyed at once, so that work in hand is finished and saved.
enum Interruption {
  /// The signal; 0 for none.
  private static let requested = Atomic<Int32>(0)

  static var isRequested: Bool { requested.load(ordering: .relaxed) != 0 }

  /// A command that ended early because it was asked to.
  struct Stopped: Error {
    /// What there is, for the user.
    var message: String
    /// As of a process that the signal ended.
    var exitCode: Int32
  }

  /// From now on the first signal only asks; a second one ends the program.
  static func watch() {
    // A parent may have left them blocked.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        Interruption.requested.store(number, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// Ends a command between two pieces of its work.
  /// - Parameters:
  ///   - done: pieces that are complete
  ///   - unit: what they are, such as `scenes`
  ///   - folder: where they are
  ///   - hint: how to go on
  /// - Throws: `Stopped` when a signal came and something is left to do.
  static func check(_ done: Int, of count: Int, _ unit: String, in folder: String, hint: String = "")
    throws
  {
    let number = requested.load(ordering: .relaxed)
    guard number != 0, done < count else { return }
    throw Stopped(
      message:
        "interrupted: \(done) of \(count) \(unit) are in \(folder), complete files all; the rest is not there"
        + (hint.isEmpty ? "" : "; \(hint)"),
      exitCode: 128 + number)
  }
}
