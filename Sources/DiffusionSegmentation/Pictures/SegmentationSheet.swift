import Base
import Foundation
import Images

/// Pictures beside their truth, prediction and uncertainty, for people.
public struct SegmentationSheet: Sendable {
  private var sheet: ContactSheet
  private let classes: ClassList
  private let mostUncertainty: Float

  /// Sides below this are magnified.
  private static let legibleSide = 128

  public init(classes: ClassList, members: Int) {
    self.classes = classes
    mostUncertainty = uncertaintyScale(members: members, classes: classes.count)
    sheet = ContactSheet(columns: 4, columnTitles: ["image", "truth", "prediction", "uncertainty"])
  }

  /// Adds a row at the picture's own size.
  public mutating func append(_ item: LabelledImage, _ result: Segmentation) {
    let zoom = max(1, Self.legibleSide / max(item.image.width, item.image.height))
    let pictures = [
      item.image, Image(mask: item.mask, palette: classes.palette),
      Image(mask: result.labels, palette: classes.palette),
      Image(
        heatmap: result.uncertainty, width: item.image.width, height: item.image.height,
        range: 0...mostUncertainty),
    ]
    for picture in pictures { sheet.append(picture.magnified(zoom)) }
  }

  /// - Throws: `DataError` when the sheet would be too large for a picture.
  public func image() throws(DataError) -> Image { try sheet.image() }
}

/// The uncertainty that is drawn brightest: half of what is possible, log of the smaller number of members and
/// classes, so that pictures can be compared with each other and what occurs can be seen.
public func uncertaintyScale(members: Int, classes: Int) -> Float {
  log(Float(min(max(members, 2), max(classes, 2)))) / 2
}
