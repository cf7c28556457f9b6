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

  static func names(stem: String) -> [String] {
    ["\(stem).npy", "\(stem).png", "\(stem).overlay.png", "\(stem).uncertainty.png"]
  }

  func write(_ image: Image, _ result: Segmentation) throws(DataError) {
    let names = PredictionFiles.names(stem: stem)
    let labels = result.labels
    try NpyFile.write(NumericArray(labels.labels, shape: [labels.height, labels.width]), to: names[0])
    try labels.write(to: names[1], palette: classes.palette)
    try image.overlay(mask: labels, palette: classes.palette, hidden: [classes.ignoreLabel]).write(
      to: names[2])
    let most = uncertaintyScale(members: members, classes: classes.count)
    try Image(heatmap: result.uncertainty, width: image.width, height: image.height, range: 0...most)
      .write(to: names[3])
  }
}
