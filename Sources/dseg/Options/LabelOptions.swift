import ArgumentParser
import Base
import DiffusionSegmentation
import Images

/// How pictures are read.
struct PictureOptions: ParsableArguments {
  @Flag(
    help: "Leave photos as their file has them, as the reference does, rather than turn them upright (EXIF).")
  var ignoreOrientation = false

  var orientation: OrientationHandling { ignoreOrientation ? .ignore : .apply }
}

/// How labels are read.
struct LabelOptions: ParsableArguments {
  @Option(
    name: .customLong("labels"),
    help: ArgumentHelp(
      "Where the labels lie, if not beside the pictures: a folder with files of the same names, or a COCO file.",
      valueName: "folder|file.json"))
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

  /// The classes, stored in masks as was asked for.
  func stored(_ classes: ClassList) throws(DataError) -> ClassList {
    if let maskValues { try classes.stored(as: maskValues.values) } else { classes }
  }
}
