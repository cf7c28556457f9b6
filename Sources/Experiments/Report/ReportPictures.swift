import DiffusionSegmentation
import Foundation
import Images

/// The pictures of a report.
public struct ReportPictures: Sendable {
  /// What a line of the report said about a picture.
  public struct Labels: Sendable {
    /// Name of the line.
    public var id: String
    /// Mean IoU over the classes that are in the picture, 0 ... 1.
    public var iou: Double
    /// Labels in the colours of the classes.
    public var image: Image

    public init(id: String, iou: Double, image: Image) {
      (self.id, self.iou, self.image) = (id, iou, image)
    }
  }

  /// A test picture that went badly, with what was said about it.
  public struct Worst: Sendable {
    /// File name of the picture.
    public var name: String
    public var testSet: String
    /// Mean IoU over the classes that are in the picture, with the first and with the last preset, 0 ... 1.
    public var firstIoU: Double
    public var lastIoU: Double
    public var image: Image
    /// Labels in the colours of the classes: the truth, and those of the two presets.
    public var truth: Image
    public var first: Image
    public var last: Image
    /// Of other lines that are shown between the first and the last, such as those of other models; the same lines for
    /// all pictures.
    public var between: [Labels]
    /// Where the last preset is wrong, red; grey where nobody knows.
    public var difference: Image
    public var uncertainty: Image

    public init(
      name: String, testSet: String, firstIoU: Double, lastIoU: Double, image: Image, truth: Image,
      first: Image, last: Image, between: [Labels] = [], difference: Image, uncertainty: Image
    ) {
      (self.name, self.testSet, self.firstIoU, self.lastIoU) = (name, testSet, firstIoU, lastIoU)
      (self.image, self.truth, self.first, self.last) = (image, truth, first, last)
      (self.between, self.difference, self.uncertainty) = (between, difference, uncertainty)
    }
  }

  /// A training picture and changed copies of it, each with its labels over it.
  public struct Preview: Sendable {
    public var name: String
    public var original: Image
    public var copies: [Image]

    public init(name: String, original: Image, copies: [Image]) {
      (self.name, self.original, self.copies) = (name, original, copies)
    }
  }

  public var previews: [Preview]
  /// Worst first.
  public var worst: [Worst]

  public init(previews: [Preview] = [], worst: [Worst] = []) {
    self.previews = previews
    self.worst = worst
  }
}

extension ReportPictures.Worst {
  /// - Parameters:
  ///   - first: mean IoU over the classes that are in the picture, and the labels
  ///   - uncertainty: of the last, one number a pixel
  ///   - members: whose disagreement it is
  package init(
    _ item: LabelledImage, testSet: String, classes: ClassList, first: (iou: Double, labels: LabelMask),
    last: (iou: Double, labels: LabelMask),
    between: [(id: String, iou: Double, labels: LabelMask)] = [], uncertainty: [Float], members: Int
  ) {
    var difference = Image(width: item.mask.width, height: item.mask.height, color: RGB(240, 240, 240))
    for y in 0..<item.mask.height {
      for x in 0..<item.mask.width {
        if item.mask[x, y] == classes.ignoreLabel {
          difference[x, y] = RGB(150, 150, 150)
        } else if item.mask[x, y] != last.labels[x, y] {
          difference[x, y] = RGB(200, 30, 30)
        }
      }
    }
    self.init(
      name: (item.path as NSString).lastPathComponent, testSet: testSet, firstIoU: first.iou,
      lastIoU: last.iou,
      image: item.image, truth: Image(mask: item.mask, palette: classes.palette),
      first: Image(mask: first.labels, palette: classes.palette),
      last: Image(mask: last.labels, palette: classes.palette),
      between: between.map {
        .init(id: $0.id, iou: $0.iou, image: Image(mask: $0.labels, palette: classes.palette))
      }, difference: difference,
      uncertainty: Image(
        heatmap: uncertainty, width: item.image.width, height: item.image.height,
        range: 0...uncertaintyScale(members: members, classes: classes.count)))
  }
}
