import Augment

/// How a segmenter comes from what its members say to the labels of a picture. They are kept in its file.
public struct PredictionSettings: Sendable, Hashable {
  /// Changed versions of the picture that are segmented too; nil for the picture alone.
  public var testTime: TestTimeSet?
  /// How the versions are brought together.
  public var combination: TestTimeCombination
  /// What is done to the labels in the end.
  public var postProcessing: PostProcessing
  /// Seed of the versions' random changes.
  public var seed: UInt64

  public init(
    testTime: TestTimeSet? = nil, combination: TestTimeCombination = .vote,
    postProcessing: PostProcessing = .none,
    seed: UInt64 = 0
  ) {
    self.testTime = testTime
    self.combination = combination
    self.postProcessing = postProcessing
    self.seed = seed
  }
}

/// How labels come from several versions of a picture.
public enum TestTimeCombination: String, Sendable, Hashable, CaseIterable {
  /// Each version has a vote for the label that its members voted for, see `orderedVote`.
  case vote
  /// The class whose probability, averaged over the members and the versions, is largest.
  case mean
}
