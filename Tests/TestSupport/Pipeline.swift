import Base
import Features

extension DataError {
  /// Whether a file or picture is to blame, not an argument or the disk.
  public var isAboutContent: Bool { kind == .malformed || kind == .unsupported }
}

extension InputSpecification {
  /// Of a diffusion model.
  public static func square(_ size: Int, multiple: Int) -> InputSpecification {
    InputSpecification(size: size, multiple: multiple, normalization: .ddpm)
  }
}
