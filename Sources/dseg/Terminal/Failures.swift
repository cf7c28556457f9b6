import ArgumentParser
import Base
import DiffusionSegmentation

/// An input that could not be used.
struct Failure: Encodable {
  var image: String
  var reason: String
}

/// The result of work on an input; nil when the input cannot be used, since a folder of thousands does not end at a
/// broken picture.
/// - Throws: `DataError` of the work, when it is not about the input or the run is strict.
func going<Result>(
  on input: String, failed: inout [Failure], _ work: () throws(DataError) -> Result
) throws(DataError) -> Result? {
  do throws(DataError) {
    return try work()
  } catch {
    guard error.isAboutInput else { throw error }
    try Notices.ofThisRun.leaveOut(error)
    failed.append(Failure(image: input, reason: error.description))
    return nil
  }
}

extension DataError {
  /// Whether it tells about something that was read, so that work on other inputs can go on.
  fileprivate var isAboutInput: Bool {
    switch kind {
    case .malformed, .unsupported, .noInput: true
    default: false
    }
  }
}

/// Ends a command that did all it could.
/// - Throws: the exit code of unsuitable data when something had to be left out.
func endWithFailures(_ count: Int) throws {
  if count > 0 { throw ExitCode(65) }
}
