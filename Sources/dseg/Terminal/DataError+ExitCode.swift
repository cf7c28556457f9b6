import Base

extension DataError {
  /// The exit code of `sysexits.h` that a command ends with after this error.
  public var exitCode: Int32 {
    switch kind {
    case .invalidArgument: 64
    case .malformed, .unsupported: 65
    case .noInput: 66
    case .cannotCreate: 73
    case .writeFailed: 74
    case .diverged: 70
    case .cancelled: 130
    }
  }
}
