import Base
import Features
import TensorCore

// M members, K classes, D features, N pixels

/// Several classifiers that vote on the class of every pixel.
public struct PixelEnsemble: Sendable {
  public let members: [PixelMLP]
  /// The members in the form in which whole pictures are classified.
  let head: EnsembleHead

  /// Length D of a pixel's vector.
  public var featureCount: Int { members[0].featureCount }
  /// Number K of classes.
  public var classCount: Int { members[0].classCount }

  /// - Throws: `DataError` when there is no member, or one differs from the first in a layer's shape, or
  ///   there are more than 256 classes.
  public init(_ members: [PixelMLP]) throws(DataError) {
    guard let first = members.first else {
      throw DataError(.invalidArgument, file: "ensemble", expected: "at least one member", found: "none")
    }
    guard first.classCount <= 256 else {
      throw DataError(
        .unsupported, file: "ensemble", item: "classes", expected: "at most 256", found: "\(first.classCount)"
      )
    }
    for (index, member) in members.enumerated() where member.widths != first.widths {
      throw DataError(
        .malformed, file: "ensemble", item: "widths of member \(index)", expected: "\(first.widths)",
        found: "\(member.widths)")
    }
    self.members = members
    head = EnsembleHead(members)
  }

  /// Logits of each member for some pixels: `[N, D]` to `[M, N, K]`.
  public func logits(_ x: Tensor) -> Tensor {
    stack(members.map { $0.logits(x) })
  }

  /// What the members say about every pixel of a picture.
  ///
  /// - Parameters:
  ///   - features: of the picture, with vectors of length `featureCount`
  ///   - withProbabilities: whether the averaged probabilities are wanted too
  /// - Throws: `DataError` when the vectors have another length.
  public func predict(
    _ features: FeatureMaps, withProbabilities: Bool = false
  ) throws(DataError) -> PixelPrediction {
    try predict(features, withProbabilities: withProbabilities, withVotes: false)
  }

  /// The same with the members that chose each class.
  package func predict(
    _ features: FeatureMaps, withProbabilities: Bool, withVotes: Bool
  ) throws(DataError) -> PixelPrediction {
    guard features.channels == featureCount else {
      throw DataError(
        .invalidArgument, file: "features", item: "channels",
        expected: "\(featureCount), as the classifiers were trained on", found: "\(features.channels)")
    }
    return head.predict(features, withProbabilities: withProbabilities, withVotes: withVotes)
  }
}

extension PixelMLP {
  /// D, h1, h2, K.
  fileprivate var widths: [Int] { [featureCount, hiddenWidths.first, hiddenWidths.second, classCount] }
}
