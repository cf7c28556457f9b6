import Augment
import Images
import TensorCore
import Testing

struct ReplayTests {
  let pairs = ClassPairs([(2, 3)])

  @Test func flipExchangesPairs() {
    let mask = LabelMask(width: 3, height: 2, labels: [1, 2, 3, 0, 0, 2])
    #expect(mask.mirrored().labels == [3, 2, 1, 2, 0, 0])
    #expect(mask.mirrored(exchanging: pairs).labels == [2, 3, 1, 3, 0, 0])
    let replay = Replay(width: 3, height: 2, transforms: [.horizontalFlip(exchanging: pairs)])
    #expect(replay.apply(to: mask).labels == [2, 3, 1, 3, 0, 0])
    #expect(replay.invert(replay.apply(to: mask)) == mask)
  }

  @Test func holes() {
    let dropout = CoarseDropout(holes: [.init(x: 1, y: 0, width: 2, height: 1)], label: 9)
    let mask = LabelMask(width: 3, height: 2, label: 4)
    let replay = Replay(width: 3, height: 2, transforms: [.coarseDropout(dropout)])
    #expect(replay.apply(to: mask).labels == [4, 9, 9, 4, 4, 4])
    let image = replay.apply(to: Image(width: 3, height: 2, color: .white))
    #expect(image[0, 0] == .white && image[1, 0] == .black && image[2, 0] == .black && image[1, 1] == .white)
    // What was found in the holes counts, or not, as wanted.
    #expect(replay.invert(mask) == mask)
    #expect(replay.invert(mask, outside: 8, forgettingHoles: true).labels == [4, 8, 8, 4, 4, 4])
  }

  /// Labels that went through a change and back agree with the first ones, but along borders, and cover what the
  /// change shows and nothing else.
  @Test(arguments: [
    Augmentation.horizontalFlip, .rotate(limit: 90),
    .randomResizedCrop(scale: 0.3...0.6, ratio: 0.75...4 / 3),
    .elasticTransform(alpha: 0, sigma: 1, alphaAffine: 12),
    .elasticTransform(alpha: 50, sigma: 6, alphaAffine: 4),
  ])
  func backAgain(_ augmentation: Augmentation) throws {
    let (width, height) = (60, 48)
    let mask = areas(width: width, height: height)
    let compose = try Compose([augmentation])
    for seed in 0..<20 as Range<UInt64> {
      let replay = compose.draw(AugmentationContext(width: width, height: height), random: Philox(seed: seed))
      let changed = replay.apply(to: mask)
      let back = replay.invert(changed, outside: 200)
      let known = back.labels.indices.filter { back.labels[$0] != 200 && back.labels[$0] != 255 }
      let agreeing = known.count { back.labels[$0] == mask.labels[$0] }
      #expect(Double(agreeing) >= 0.93 * Double(known.count))
      // Something must be left to compare.
      #expect(known.count > width * height / 5)
    }
  }

  /// Three transforms, undone in the opposite order.
  @Test func chains() throws {
    let mask = areas(width: 64, height: 64)
    let compose = try Compose([
      .horizontalFlip, .randomResizedCrop(scale: 0.6...0.9, ratio: 1...1.2), .rotate(limit: 30),
    ])
    for seed in 0..<10 as Range<UInt64> {
      let replay = compose.draw(AugmentationContext(width: 64, height: 64), random: Philox(seed: seed))
      let back = replay.invert(replay.apply(to: mask))
      let known = back.labels.indices.filter { back.labels[$0] != 255 }
      #expect(known.count > 64 * 64 / 3)
      #expect(Double(known.count { back.labels[$0] == mask.labels[$0] }) >= 0.93 * Double(known.count))
    }
  }
}

struct TestTimeSetTests {
  let context = AugmentationContext(width: 64, height: 48, flipPairs: ClassPairs([(1, 2)]))

  private func replays(_ set: TestTimeSet, seed: UInt64 = 0, name: String = "a.png") -> [Replay] {
    set.replays(context, seed: seed, name: name).map(\.replay)
  }

  /// The same picture always gets the same views; another seed or name gets others.
  @Test(arguments: [TestTimeSet.report, .reportCode])
  func viewsFollowSeedAndName(_ set: TestTimeSet) {
    #expect(replays(set) == replays(set))
    #expect(replays(set) != replays(set, seed: 1))
    #expect(replays(set) != replays(set, name: "b.png"))
  }

  @Test func transformsOfTheViews() {
    func names(_ set: TestTimeSet) -> [[String]] { set.views(side: 64).map { $0.augmentations.map(\.name) } }
    #expect(
      names(.report) == [
        ["ToGray", "CoarseDropout"], ["ToGray"], ["ColorJitter", "HorizontalFlip"],
        ["ColorJitter", "HorizontalFlip", "ChannelShuffle"],
      ])
    #expect(
      names(.reportCode) == [
        ["ToGray", "CoarseDropout"], ["ColorJitter", "HorizontalFlip"], ["CoarseDropout", "ColorJitter"],
        ["ColorJitter", "HorizontalFlip", "ChannelShuffle"],
      ])
    #expect(
      TestTimeSet.reportCode.replays(context, seed: 0, name: "a").map(\.forgetsHoles) == [
        false, false, true, false,
      ])
    #expect(TestTimeSet.report.replays(context, seed: 0, name: "a").allSatisfy { !$0.forgetsHoles })
    #expect(
      replays(.flip) == [
        Replay(width: 64, height: 48, transforms: [.horizontalFlip(exchanging: context.flipPairs)])
      ])
  }

  @Test func votes() {
    func mask(_ labels: [UInt8]) -> LabelMask { LabelMask(width: labels.count, height: 1, labels: labels) }
    // Pixels: a majority; a tie of two, where the first voter has it; a tie of two others; a tie in which the voters
    // come in another order than the numbers; ignored votes; nothing but ignored votes.
    let votes = [
      mask([1, 5, 4, 9, 255, 255]), mask([2, 3, 7, 6, 3, 255]), mask([2, 5, 7, 6, 255, 255]),
      mask([2, 3, 2, 9, 3, 255]), mask([1, 9, 2, 1, 8, 255]),
    ]
    #expect(orderedVote(votes).labels == [2, 5, 7, 9, 3, 255])
    #expect(orderedVote(votes, ignoreLabel: 2).labels == [1, 5, 7, 9, 255, 255])
  }
}
