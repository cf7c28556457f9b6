import Annotations
import Base
import Checkpoints
import Images

/// What a look at all pictures and labels of a data set found.
public struct DatasetCheck: Sendable, Codable, Equatable {
  /// Something wrong with a picture or its labels.
  public struct Problem: Sendable, Codable, Equatable {
    public var picture: String
    public var reason: String
  }

  /// One class.
  public struct ClassPixels: Sendable, Codable, Equatable {
    public var name: String
    /// Label in masks.
    public var label: Int
    public var pixels: Int
    /// Pictures that have it.
    public var pictures: Int
  }

  public var layout: DatasetLayout
  /// Pictures with sound labels of their size.
  public var pairs: Int
  /// Pictures without labels, which training leaves out.
  public var unlabelled: [String]
  /// Labels without a picture.
  public var loneLabels: [String]
  /// Pictures that cannot be trained on: damaged, of another size than their labels, or with labels that are no class.
  public var problems: [Problem]
  public var classes: [ClassPixels]
  /// Pixels to ignore.
  public var ignored: Int
  /// Pictures that are the same, sample by sample.
  public var duplicates: [[String]]
  /// Pictures of which less than a thousandth is labelled as anything but class 0.
  public var nearlyEmpty: [String]
  /// Pixels whose colours are those of no class and were taken for the nearest; nil where such are refused.
  public var inexactColors: InexactColors.Sum?

  /// Whether a training can begin: pictures, none of them with a problem, and two classes.
  public var isTrainable: Bool {
    pairs > 0 && problems.isEmpty && classes.count(where: { $0.pixels > 0 }) > 1
  }

  /// Reads all pictures and labels, one after the other.
  /// - Parameter images: the data set
  /// - Throws: `DataError` when the work is no longer wanted.
  public init(_ images: LabelledImages) throws(DataError) {
    (layout, unlabelled, loneLabels) = (images.layout, images.unlabelled, images.loneLabels)
    (pairs, ignored, problems, nearlyEmpty) = (0, 0, [], [])
    classes = images.classes.names.enumerated().map {
      ClassPixels(name: $1, label: $0, pixels: 0, pictures: 0)
    }
    let ignoreLabel = Int(images.classes.ignoreLabel)
    var (order, sameContent) = ([String](), [String: [String]]())
    for (index, picture) in images.pictures.enumerated() {
      try Cancellation.check()
      let loaded: LabelledImage
      do throws(DataError) {
        loaded = try images.load(index)
      } catch {
        if error.kind == .cancelled { throw error }
        problems.append(Problem(picture: picture.title, reason: error.description))
        continue
      }
      pairs += 1
      let digest =
        "\(loaded.image.width) " + SHA256.hexadecimal(SHA256.digest(of: loaded.image.pixels))
      if sameContent[digest] == nil { order.append(digest) }
      sameContent[digest, default: []].append(picture.title)
      let counts = loaded.mask.histogram
      ignored += counts[ignoreLabel]
      for label in classes.indices where label != ignoreLabel && counts[label] > 0 {
        classes[label].pixels += counts[label]
        classes[label].pictures += 1
      }
      let labelled = loaded.mask.labels.count - counts[0] - (ignoreLabel == 0 ? 0 : counts[ignoreLabel])
      if labelled * 1000 < loaded.mask.labels.count { nearlyEmpty.append(picture.title) }
    }
    duplicates = order.map { sameContent[$0]! }.filter { $0.count > 1 }
    inexactColors = images.inexactColors
  }
}
