import ArgumentParser
import DiffusionSegmentation

extension DataError {
  /// Whether it tells about something that was read, so that work on other inputs can go on.
  var isAboutInput: Bool {
    switch kind {
    case .malformed, .unsupported, .noInput: true
    case .invalidArgument, .cannotCreate, .writeFailed, .diverged: false
    }
  }
}

/// Ends a command that did all it could.
/// - Throws: the exit code of unsuitable data when something had to be left out.
func endWithFailures(_ count: Int) throws {
  if count > 0 { throw ExitCode(65) }
}
