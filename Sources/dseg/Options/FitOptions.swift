import ArgumentParser
import Augment
import Base

/// How pictures of other sizes are brought to the model.
struct FitOptions: ParsableArguments {
  @Option(
    help: """
      How pictures are brought to the model: pad shows it all of a picture, whose shorter side becomes the model's size; \
      crop the square in the middle; tile cuts pictures into overlapping tiles of the model's size. (default: tile where \
      all pictures have sides of more than twice the model's, else pad; or as trained)
      """)
  var fit: ImageFit?
  @Option(
    help: """
      How many times their size pictures have when they are cut into tiles. (default: that of the squares that the model \
      was pretrained on, else 1; or as trained)
      """)
  var scale: Double?
  @Option(
    help: ArgumentHelp(
      "The same as the width of a pixel, for pictures whose files tell it.", valueName: "micrometres"))
  var pixelSize: Double?
  @Option(
    help:
      "Share of a tile that it has in common with the next one. (default: \(Tiling.defaultOverlap), or as trained)"
  )
  var overlap: Double?

  /// The flags about tiles that were given.
  private var tileFlags: [String] {
    [("--scale", scale), ("--pixel-size", pixelSize), ("--overlap", overlap)].filter { $0.1 != nil }.map(\.0)
  }

  /// Whether anything was asked for.
  var isGiven: Bool { fit != nil || !tileFlags.isEmpty }

  /// Whether it was said at what size pictures are cut into tiles.
  var tellsScale: Bool {
    scale != nil || pixelSize != nil || (fit?.tiling?.scale ?? .factor(1)) != .factor(1)
  }

  /// What was asked for, and otherwise what is so far.
  /// - Throws: `DataError` for flags about tiles where there are none, and for values out of range.
  func applied(to base: ImageFit = .pad) throws(DataError) -> ImageFit {
    // A flag about tiles asks for tiles.
    let chosen = fit ?? (tileFlags.isEmpty ? base : .tile(base.tiling ?? Tiling()))
    guard var tiling = chosen.tiling else {
      guard let flag = tileFlags.first else { return chosen }
      throw DataError(
        .invalidArgument, file: flag, expected: "--fit tile, whose tiles it is about",
        found: "--fit \(chosen)")
    }
    if scale != nil, pixelSize != nil {
      throw DataError(
        .invalidArgument, file: "--pixel-size", expected: "either this or --scale", found: "both")
    }
    if let scale { tiling.scale = .factor(scale) }
    if let pixelSize { tiling.scale = .pixelSize(pixelSize) }
    if let overlap { tiling.overlap = overlap }
    try tiling.validate()
    return .tile(tiling)
  }
}
