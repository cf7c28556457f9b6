import Base
import Features
import TensorCore

/// Features of one picture and the class of each of its pixels.
public struct LabelledFeatures: Sendable {
  /// What errors call the picture: its file, usually.
  public var name: String
  public var features: FeatureMaps
  /// `height * width` class numbers, row by row.
  public var labels: [UInt8]

  public init(name: String, features: FeatureMaps, labels: [UInt8]) {
    self.name = name
    self.features = features
    self.labels = labels
  }
}

/// The labelled pixels of many pictures: a training set whose feature matrix `[count, featureCount]`
/// exists nowhere. Rows are read out of the feature maps when they are asked for.
///
/// Rows stand in the order of the pictures and, inside a picture, row by row.
public struct PixelDataset: Sendable {
  /// Number K of classes.
  public let classCount: Int
  /// Length D of a pixel's vector.
  public private(set) var featureCount: Int
  /// Class of each row.
  public let targets: [UInt8]
  /// Where a row comes from.
  private struct Origin: Sendable {
    var image: Int32
    var pixel: Int32
  }
  private let origins: [Origin]
  private var images: [FeatureMaps]
  /// Projected vectors, `[count, featureCount]`, which then take the place of the maps.
  private var projected: Tensor?
  /// What is done to each vector on its way out of the maps.
  private var standardization: (mean: Tensor, factors: Tensor)?

  /// Number of rows: the labelled pixels.
  public var count: Int { targets.count }
  /// Bytes of the feature maps.
  public var byteCount: Int {
    images.reduce(0) { $0 + $1.byteCount } + (projected.map { $0.count * MemoryLayout<Float>.stride } ?? 0)
  }

  /// - Parameters:
  ///   - pictures: all with vectors of the same length
  ///   - classCount: number of classes, 1 to 256
  ///   - ignoreLabel: pixels with this label are left out, also when it is below `classCount`
  ///   - smallestAnnotation: classes with fewer pixels in a picture are ignored there, see
  ///     `droppingSmallAnnotations`; 0 keeps all
  /// - Throws: `DataError` naming the picture, when a label is no class, labels and pixels differ in
  ///   number, vectors differ in length, or no pixel is labelled.
  public init(
    _ pictures: [LabelledFeatures], classCount: Int, ignoreLabel: UInt8, smallestAnnotation: Int = 20
  ) throws(DataError) {
    guard (1...256).contains(classCount) else {
      throw DataError(
        .invalidArgument, file: "training set", item: "classes", expected: "1 to 256", found: "\(classCount)")
    }
    var targets: [UInt8] = []
    var origins: [Origin] = []
    for (index, picture) in pictures.enumerated() {
      try PixelDataset.check(picture, like: pictures[0], classCount: classCount, ignoreLabel: ignoreLabel)
      let labels = droppingSmallAnnotations(
        picture.labels, classCount: classCount, ignoreLabel: ignoreLabel, minimum: smallestAnnotation)
      for (pixel, label) in labels.enumerated() where label != ignoreLabel {
        targets.append(label)
        origins.append(Origin(image: Int32(index), pixel: Int32(pixel)))
      }
    }
    guard !targets.isEmpty else {
      throw DataError(
        .invalidArgument, file: "training set", expected: "labelled pixels",
        found: "none in \(pictures.count) pictures")
    }
    self.classCount = classCount
    self.targets = targets
    self.origins = origins
    images = pictures.map(\.features)
    featureCount = images[0].channels
  }

  private static func check(
    _ picture: LabelledFeatures, like first: LabelledFeatures, classCount: Int, ignoreLabel: UInt8
  ) throws(DataError) {
    let features = picture.features
    guard picture.labels.count == features.pixelCount, features.pixelCount <= Int32.max else {
      throw DataError(
        .malformed, file: picture.name, item: "labels",
        expected: "\(features.height)×\(features.width) of them", found: "\(picture.labels.count)")
    }
    guard features.channels == first.features.channels else {
      throw DataError(
        .malformed, file: picture.name, item: "features",
        expected: "\(first.features.channels) channels as in \(first.name)", found: "\(features.channels)")
    }
    if let pixel = picture.labels.firstIndex(where: { Int($0) >= classCount && $0 != ignoreLabel }) {
      throw DataError(
        .malformed, file: picture.name,
        item: "label at row \(pixel / features.width), column \(pixel % features.width)",
        expected: "a class below \(classCount) or \(ignoreLabel) to ignore", found: "\(picture.labels[pixel])"
      )
    }
  }

  /// Some rows of the feature matrix: `[rows.count, featureCount]`.
  /// - Precondition: every row is below `count`.
  public func features(ofRows rows: [Int]) -> Tensor {
    let rows = rows.map { Int32($0) }
    return Tensor(shape: [rows.count, featureCount]) { x in
      parallelFor(rows.count, inBlocksOf: 4) { gather(rows, $0, into: x) }
    }
  }

  /// Writes a part of some rows of the feature matrix to their places in `x`, `[rows.count, featureCount]`,
  /// on the calling thread.
  func gather(_ rows: [Int32], _ part: Range<Int>, into x: UnsafeMutablePointer<Float>) {
    for index in part {
      let (row, target) = (Int(rows[index]), x + index * featureCount)
      if let projected {
        withPointers(projected) { target.update(from: $0 + row * featureCount, count: featureCount) }
        continue
      }
      images[Int(origins[row].image)].gather(pixel: Int(origins[row].pixel), into: target)
      if let (mean, factors) = standardization {
        withPointers(mean, factors) { mean, factors in
          for c in 0..<featureCount { target[c] = (target[c] - mean[c]) * factors[c] }
        }
      }
    }
  }
}

extension PixelDataset {
  /// The same pixels with projected vectors. Those of fewer features are computed at once and kept; standardised ones
  /// when they are asked for.
  /// - Precondition: the projection is for vectors of this length, and nothing was projected before.
  public func projected(by projection: FeatureProjection) -> PixelDataset {
    precondition(
      projection.mean.count == featureCount && projected == nil && standardization == nil,
      "a projection of \(projection.mean.count) features for vectors of \(featureCount)")
    var dataset = self
    dataset.featureCount = projection.outputCount
    switch projection.weight {
    case .diagonal(let factors): dataset.standardization = (projection.mean, factors)
    case .matrix:
      let (count, width) = (count, projection.outputCount)
      dataset.projected = Tensor(shape: [count, width]) { y in
        parallelFor(count, inBlocksOf: 256) { block in
          let rows = projection.apply(features(ofRows: Array(block)))
          withPointers(rows) { (y + block.lowerBound * width).update(from: $0, count: block.count * width) }
        }
      }
      dataset.images = []
    }
    return dataset
  }
}
