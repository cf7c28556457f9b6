import Augment

extension ImageFit {
  /// One of each kind.
  public static let everyKind: [ImageFit] = [.pad, .crop, .tile(Tiling())]
}
