import Base
import Images
import PixelClassifier

/// How many pixels bear each label, from the files to what a training uses of them.
public struct LabelCensus: Sendable, Equatable, Codable {
  /// One class.
  public struct ClassCount: Sendable, Equatable, Codable {
    public var name: String
    /// Pixels in the masks as they are on disk.
    public var pixels = 0
    /// Pixels at the network's resolution.
    public var resized = 0
    /// Those of `resized` that are trained on: a class with a handful of pixels in a picture is left out there.
    public var used = 0
    /// Pictures with the class, and those in which no pixel of it is left at the network's resolution.
    public var pictures = 0
    public var lostPictures = 0
  }

  public internal(set) var classes: [ClassCount]
  /// Pixels of all masks.
  public internal(set) var pixels = 0
  /// Those of them with the label to ignore, which is `ignoreLabel`.
  public internal(set) var ignored = 0
  public internal(set) var ignoreLabel: UInt8
  /// Pixels of all pictures at the network's resolution.
  public internal(set) var resized = 0
  public internal(set) var pictures = 0
  /// Labelled pixels that were to be expected at the network's resolution, from the share of them in the files.
  private var expected = 0.0

  public init(_ classes: ClassList) {
    self.classes = classes.names.map { ClassCount(name: $0) }
    ignoreLabel = classes.ignoreLabel
  }

  /// Counts a picture.
  /// - Parameters:
  ///   - mask: as it is in its file
  ///   - resized: at the network's resolution, without padding
  ///   - smallestAnnotation: classes with fewer pixels of `resized` are not used
  mutating func add(_ mask: LabelMask, resized: LabelMask, smallestAnnotation: Int) {
    let (before, after) = (mask.histogram, resized.histogram)
    pictures += 1
    pixels += mask.labels.count
    ignored += before[Int(ignoreLabel)]
    self.resized += resized.labels.count
    expected +=
      Double(mask.labels.count - before[Int(ignoreLabel)]) / Double(mask.labels.count)
      * Double(resized.labels.count)
    for index in classes.indices where index != Int(ignoreLabel) {
      classes[index].pixels += before[index]
      classes[index].resized += after[index]
      if after[index] >= smallestAnnotation { classes[index].used += after[index] }
      if before[index] > 0 {
        classes[index].pictures += 1
        if after[index] == 0 { classes[index].lostPictures += 1 }
      }
    }
  }

  /// Share of the pixels that are ignored, 0 to 1.
  public var ignoredShare: Double { pixels > 0 ? Double(ignored) / Double(pixels) : 0 }
  /// Labelled pixels at the network's resolution.
  public var labelledAfterResize: Int { classes.reduce(0) { $0 + $1.resized } }
  /// Whether no pixel of the files is labelled.
  public var isEmpty: Bool { classes.allSatisfy { $0.pixels == 0 } }
}

extension LabelCensus {
  /// Says what is missing or was lost on the way.
  /// - Parameters:
  ///   - notices: are told
  ///   - source: the folder
  ///   - imageSize: side of the pictures that the model was trained on, in pixels
  public func report(to notices: Notices, source: String, imageSize: Int) {
    let label = Int(ignoreLabel)
    for (index, entry) in classes.enumerated() where index != label {
      let item = "class \(index)" + (entry.name == "class \(index)" ? "" : " (\(entry.name))")
      if entry.pixels == 0 {
        notices.add(.suspicious, file: source, item: item, "no pixel of any mask is labelled so\(hint)")
      } else if entry.resized == 0 {
        notices.add(
          .lost, file: source, item: item,
          "none of its \(entry.pixels) pixels is left at the model's resolution (\(imageSize) px); --mask-resize thin keeps thin labels"
        )
      } else if entry.lostPictures > 0 {
        notices.add(
          .lost, file: source, item: item,
          "no pixel is left at the model's resolution in \(entry.lostPictures) of \(entry.pictures) pictures; --mask-resize thin keeps thin labels"
        )
      }
      if entry.resized > 0 && entry.used == 0 {
        notices.add(
          .lost, file: source, item: item,
          "so few pixels in each picture that none is used; their number at the model's resolution is \(entry.resized)"
        )
      }
    }
    if Double(labelledAfterResize) < expected / 2 {
      notices.add(
        .lost, file: source, item: "labelled pixels",
        "less than half of them are left at the model's resolution; --mask-resize majority keeps strokes")
    }
  }

  /// Why a class may have no pixels: masks of 0 and 255, the commonest of mistakes.
  private var hint: String {
    guard ignored > 0 else { return "" }
    let percent = Int((ignoredShare * 100).rounded())
    return "; \(percent) % of the pixels are \(ignoreLabel), which is ignored"
      + (ignoreLabel == 255 ? ": are these masks of 0 and 255? --mask-values 0,255 reads them" : "")
  }
}
