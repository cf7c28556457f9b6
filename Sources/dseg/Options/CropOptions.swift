import ArgumentParser
import Augment
import Base

/// Which square of a picture is trained on.
struct CropOptions: ParsableArguments {
  enum Place: String, ExpressibleByArgument, CaseIterable {
    case centre, random
  }

  @Option(
    help: """
      Which square of a picture is shown: centre brings its shorter side to the model's size and takes the middle; random \
      takes a square of the model's size at another place each time, of the picture at --scale, as tiles of it are shown \
      later. Masked autoencoders cut their parts (of smallest-crop to all of the area) out of whole pictures with the \
      first, out of such squares with the second. (default: centre; random with --scale or --pixel-size)
      """)
  var crop: Place?
  @Option(
    help: "How many times their size pictures have when random squares are cut out of them. (default: 1)")
  var scale: Double?
  @Option(
    help: ArgumentHelp(
      "The same as the width of a pixel, for pictures whose files tell it.", valueName: "micrometres"))
  var pixelSize: Double?

  /// What was asked for.
  /// - Throws: `DataError` for a scale of squares in the middle, two scales, and one out of range.
  func chosen() throws(DataError) -> PictureCrop {
    let flags = [("--scale", scale), ("--pixel-size", pixelSize)].filter { $0.1 != nil }.map(\.0)
    guard flags.count < 2 else {
      throw DataError(
        .invalidArgument, file: "--pixel-size", expected: "either this or --scale", found: "both")
    }
    guard crop == .random || crop == nil && !flags.isEmpty else {
      guard let flag = flags.first else { return .centre }
      throw DataError(
        .invalidArgument, file: flag, expected: "--crop random, whose squares it is about",
        found: "--crop centre")
    }
    let chosen = PictureCrop.random(pixelSize.map { .pixelSize($0) } ?? .factor(scale ?? 1))
    try chosen.validate()
    return chosen
  }
}
