import ArgumentParser
import Base
import DiffusionSegmentation
import Images

/// How pictures are read.
struct PictureOptions: ParsableArguments {
  @Flag(
    help: "Leave photos as their file has them, as the reference does, rather than turn them upright (EXIF).")
  var ignoreOrientation = false

  @Option(
    help: ArgumentHelp(
      "Which samples of a picture become red, green and blue, counted from 0; one alone becomes grey. (default: the file's colours)",
      valueName: "0,2,1"))
  var channels: ChannelList?
  @Option(
    help: ArgumentHelp(
      "Which numbers become black and white: full, min,max, percentile:0.1,99.9 or values:100,4000. (default: full, the range of the type)",
      valueName: "percentile:0.1,99.9"))
  var range: SampleRange?

  var reading: PictureReading { changed(PictureReading()) }

  /// What was asked for in place of what was before.
  func changed(_ reading: PictureReading) -> PictureReading {
    PictureReading(
      orientation: ignoreOrientation ? .ignore : reading.orientation,
      channels: channels?.values ?? reading.channels, range: range ?? reading.range)
  }
}

/// Channels, of the command line.
struct ChannelList: ExpressibleByArgument {
  var values: [Int]

  init?(argument: String) {
    guard let values = try? PictureReading.channels(argument) else { return nil }
    self.values = values
  }
}

extension SampleRange: ExpressibleByArgument {
  public init?(argument: String) {
    guard let range = try? SampleRange(argument) else { return nil }
    self = range
  }
}

/// How labels are read.
struct LabelOptions: ParsableArguments {
  @Option(
    help:
      "How masks are brought to the model's resolution: nearest, as in the reference, majority, or thin, which keeps the rarest label. (default: nearest, or as trained)"
  )
  var maskResize: MaskResampling?
  @Option(
    help: ArgumentHelp(
      "What masks have for class 0, 1, …, where that is not the number of the class. (default: the class list's)",
      valueName: "0,255"))
  var maskValues: NumberList<UInt8>?

  /// The classes, stored in masks as was asked for.
  func stored(_ classes: ClassList) throws(DataError) -> ClassList {
    if let maskValues { try classes.stored(as: maskValues.values) } else { classes }
  }
}
