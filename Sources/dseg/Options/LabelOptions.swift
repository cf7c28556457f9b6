import ArgumentParser
import Base
import DiffusionSegmentation
import Images

/// How pictures are read, but for their channels.
struct PictureValueOptions: ParsableArguments {
  @Flag(
    help:
      "Leave pictures as their file has them, as the reference does, rather than turn them upright (EXIF, TIFF)."
  )
  var ignoreOrientation = false
  @Option(
    help: ArgumentHelp(
      "Which numbers become black and white: full, min,max, percentile:0.1,99.9 or values:100,4000. (default: full, the range of the type)",
      valueName: "percentile:0.1,99.9"))
  var range: SampleRange?

  static let channelHelp = ArgumentHelp(
    "Which samples of a picture become red, green and blue, counted from 0; one alone becomes grey. (default: the file's colours)",
    valueName: "0,2,1")

  /// What was asked for in place of what was before.
  func changed(_ reading: PictureReading, channels: ChannelList?) -> PictureReading {
    PictureReading(
      orientation: ignoreOrientation ? .ignore : reading.orientation,
      channels: channels?.values ?? reading.channels, range: range ?? reading.range)
  }
}

/// How pictures are read.
struct PictureOptions: ParsableArguments {
  @OptionGroup var values: PictureValueOptions
  @Option(help: PictureValueOptions.channelHelp) var channels: ChannelList?

  var reading: PictureReading { changed(PictureReading()) }

  /// What was asked for in place of what was before.
  func changed(_ reading: PictureReading) -> PictureReading { values.changed(reading, channels: channels) }
}

/// Channels, of the command line.
struct ChannelList: ExpressibleByArgument {
  var values: [Int]

  init?(argument: String) {
    guard let values = try? PictureReading.channels(argument) else { return nil }
    self.values = values
  }
}

/// How labels are read.
struct LabelOptions: ParsableArguments {
  @Option(
    name: .customLong("labels"),
    help: ArgumentHelp(
      "Where the labels lie, if not beside the pictures: a folder with files of the same names, or a file of COCO (.json) or CVAT (.xml).",
      valueName: "folder|file"))
  var place: String?
  @Flag(help: "Leave out shapes whose names are no classes, with a warning, rather than end with an error.")
  var ignoreUnknown = false
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
  @Flag(
    help:
      "Take every pixel of coloured masks for the class whose colour is nearest, and say how many were not exact; JPEG masks are read too."
  )
  var nearestColors = false

  func validate() throws {
    if nearestColors && maskValues != nil {
      throw ValidationError(
        "--nearest-colors and --mask-values exclude each other: colours stand for classes, or values.")
    }
  }

  /// The classes, stored in masks as was asked for.
  func stored(_ classes: ClassList) throws(DataError) -> ClassList {
    if let maskValues { try classes.stored(as: maskValues.values) } else { classes }
  }
}
