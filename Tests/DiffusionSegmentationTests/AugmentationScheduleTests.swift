import Base
import DiffusionSegmentation
import Foundation
import PixelClassifier
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Training on changed copies of the pictures.
struct AugmentationScheduleTests {
  let world: TinyWorld

  init() throws { world = try TinyWorld() }

  private func train(
    _ augmentation: AugmentationSchedule?, epochs: Int = 2, seed: UInt64 = 0,
    progress: @escaping @Sendable (SegmenterProgress) -> Void = { _ in }
  ) throws -> Segmenter {
    try Segmenter.train(
      on: world.labelled(), features: world.features(),
      options: SegmenterOptions(
        members: 2, epochs: epochs, maxEpochs: epochs, augmentation: augmentation, seed: seed),
      progress: progress)
  }

  private func weights(_ segmenter: Segmenter) -> [Tensor] {
    segmenter.ensemble.members.map(\.linear0.weight)
  }

  /// Epochs are counted in the pixels of the originals, whatever the growth, and two iterations more.
  @Test(arguments: [2, 5])
  func epochsKeepTheirLength(factor: Int) throws {
    let pictures = Mutex((done: 0, of: 0))
    let segmenter = try train(AugmentationSchedule(factor: factor)) {
      if case .features(let done, let count) = $0 { pictures.withLock { $0 = (done, count) } }
    }
    #expect(segmenter.ensemble.members[0].batchesTracked == 2 * (3 * 32 * 32 / 64 + 2))
    #expect(pictures.withLock { $0.done == 3 * factor && $0.of == 3 * factor })
  }

  @Test func theSameBitsWithAnyNumberOfThreads() throws {
    let results = try withThreadCounts([1, 2, 3]) {
      weights(try train(AugmentationSchedule(isRedrawn: true)))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test func copiesFollowTheSeedAndTheSettings() throws {
    let settings: [AugmentationSchedule?] = [
      nil, AugmentationSchedule(factor: 2), AugmentationSchedule(factor: 3),
      AugmentationSchedule(factor: 2, preset: .mild),
      AugmentationSchedule(factor: 2, probability: 1), AugmentationSchedule(factor: 2, isRedrawn: true),
    ]
    let results = try settings.map { weights(try train($0)) }
    for (index, result) in results.enumerated() {
      for other in results[..<index] { #expect(result != other) }
    }
    // Copies that are redrawn are first drawn for the first epoch, so that one epoch alone differs too.
    #expect(try weights(train(settings[1], seed: 1)) != results[1])
  }

  @Test(arguments: [
    AugmentationSchedule(factor: 1), AugmentationSchedule(factor: 1001),
    AugmentationSchedule(probability: 1.5),
  ])
  func settingsThatMakeNoSense(_ augmentation: AugmentationSchedule) {
    let error = #expect(throws: DataError.self) { try train(augmentation) }
    #expect(error?.kind == .invalidArgument)
  }

  /// What is learned from changed copies holds for the pictures as they are.
  @Test func learnsFromCopies() throws {
    let segmenter = try train(AugmentationSchedule(factor: 3, preset: .mild))
    let evaluation = try segmenter.evaluate(on: world.labelled())
    #expect(evaluation.confusion.meanIoU(.standard) > 0.85)
  }

  /// Prepared features are learned from, and the segmenter takes them as they come.
  @Test(arguments: [
    FeaturePreparation.standardized, .principalComponents(20, whitened: false),
    .principalComponents(20, whitened: true),
  ])
  func preparedFeatures(_ preparation: FeaturePreparation) throws {
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: world.features(),
      options: SegmenterOptions(members: 2, epochs: 3, maxEpochs: 3, preparation: preparation))
    #expect(segmenter.ensemble.featureCount == segmenter.features.channels)
    #expect(try segmenter.evaluate(on: world.labelled()).confusion.meanIoU(.standard) > 0.9)
  }

  /// The segmenter after an epoch is the one of a training that ends there.
  @Test func segmentersAfterEpochs() throws {
    var seen: [[Tensor]] = []
    _ = try Segmenter.train(
      on: world.labelled(), features: world.features(),
      options: SegmenterOptions(members: 2, epochs: 2, maxEpochs: 2), afterEpoch: { seen.append(weights($1)) }
    )
    #expect(try seen == [weights(train(nil, epochs: 1)), weights(train(nil, epochs: 2))])
  }
}
