import Annotations
import Base
import Checkpoints
import DiffusionSegmentation
import Images

/// The files that are written for a picture.
struct PredictionFiles {
  /// Path without extension.
  var stem: String
  var classes: ClassList
  var members: Int
  var formats: Set<LabelFormat>
  /// Path of the picture.
  var picture: String

  /// Labels first.
  static func names(stem: String, _ formats: Set<LabelFormat>) -> [String] {
    let endings: [(LabelFormat, String)] = [
      (.npy, "npy"), (.png, "png"), (.labelme, "json"), (.geojson, "geojson"),
    ]
    return endings.filter { formats.contains($0.0) }.map { "\(stem).\($0.1)" }
      + ["\(stem).overlay.png", "\(stem).uncertainty.png"]
  }

  func write(_ image: Image, _ result: Segmentation) throws(DataError) {
    let labels = result.labels
    let writer = LabelWriter(classes: classes)
    for format in [.npy, .labelme, .geojson] as [LabelFormat] where formats.contains(format) {
      try writer.write(labels, as: format, stem: stem, picture: picture)
    }
    if formats.contains(.png) { try labels.write(to: "\(stem).png", palette: classes.palette) }
    try image.overlay(mask: labels, palette: classes.palette, hidden: [classes.ignoreLabel]).write(
      to: "\(stem).overlay.png")
    let most = uncertaintyScale(members: members, classes: classes.count)
    try Image(heatmap: result.uncertainty, width: image.width, height: image.height, range: 0...most)
      .write(to: "\(stem).uncertainty.png")
  }
}
