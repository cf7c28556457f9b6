import Base
import DiffusionSegmentation
import Experiments
import Foundation
import Images
import PixelClassifier
import Synchronization
import TestSupport
import Testing

/// Long work that is stopped, limited, or done twice at once.
struct WorkTests {
  private static let long = SegmenterOptions(members: 2, epochs: 100, maxEpochs: 100, batchSize: 2)

  @Test(arguments: ["features", "training"])
  func whatProgressThrowsEndsTheTraining(stage: String) throws {
    let world = try TinyWorld()
    let stop = DataError(.invalidArgument, file: "test", found: "enough")
    let calls = Mutex(0)
    let error = #expect(throws: DataError.self) {
      _ = try Segmenter.train(on: world.labelled(), features: world.features(), options: Self.long) {
        (progress) throws(DataError) in
        let isFeatures = if case .features = progress { true } else { false }
        guard isFeatures == (stage == "features") else { return }
        if calls.withLock({
          $0 += 1
          return $0
        }) == 2 {
          throw stop
        }
      }
    }
    #expect(error == stop)
    // Nobody is called after that; the other member may have been on its way.
    #expect(calls.withLock { $0 } == 2)
  }

  @Test func cancelledTrainingEnds() async throws {
    let world = try TinyWorld()
    let (labelled, features) = (try world.labelled(), try world.features())
    let (started, go) = AsyncStream.makeStream(of: Void.self)
    let training = Task {
      try await Segmenter.train(on: labelled, features: features, options: Self.long) { progress in
        if case .training = progress { go.yield() }
      }
    }
    for await _ in started { break }
    training.cancel()
    let error = await #expect(throws: DataError.self) { try await training.value }
    #expect(error?.kind == .cancelled)
  }

  /// Without the `async` form the work sees the task that it runs in.
  @Test func workInACancelledTaskEnds() async throws {
    let world = try TinyWorld()
    let (labelled, features) = (try world.labelled(), try world.features())
    let segmenter = try world.train()
    let folder = ExperimentFolder(world.folder.path("experiment"))
    let work = Task {
      // Cancelled before it begins.
      while !Task.isCancelled { await Task.yield() }
      func kind(_ body: () throws -> Void) -> DataError.Kind? {
        do {
          try body()
          return nil
        } catch {
          return (error as? DataError)?.kind
        }
      }
      return [
        kind {
          _ = try Segmenter.train(on: labelled, features: features, options: Self.long, afterEpoch: nil)
        },
        kind { _ = try segmenter.evaluate(on: labelled, handler: { _, _, _ in }) },
        kind {
          let experiment = Experiment(
            training: labelled, testSets: [labelled], features: features,
            presets: [try SegmenterPreset(variant: "a=init,models=1")], seeds: [0])
          _ = try Self.runHere(experiment, folder)
        },
      ]
    }
    work.cancel()
    #expect(await work.value == [.cancelled, .cancelled, .cancelled])
  }

  private static func runHere(_ experiment: Experiment, _ folder: ExperimentFolder) throws -> ExperimentReport
  {
    try experiment.run(in: folder)
  }

  @Test func twoAtOnceGiveWhatTheyGiveAlone() async throws {
    let world = try TinyWorld()
    let (labelled, features) = (try world.labelled(), try world.features())
    let image = TinyWorld.scene(4, width: 32, height: 32).0
    func options(_ seed: UInt64) -> SegmenterOptions {
      SegmenterOptions(members: 3, epochs: 2, maxEpochs: 2, seed: seed)
    }
    @Sendable func labels(_ seed: UInt64) async throws -> [UInt8] {
      let segmenter = try await Segmenter.train(
        on: labelled, features: features,
        options: SegmenterOptions(members: 3, epochs: 2, maxEpochs: 2, seed: seed))
      return try await segmenter.segment(image).labels.labels
    }
    let alone = (try await labels(1), try await labels(2))
    async let first = labels(1)
    async let second = labels(2)
    let together = (try await first, try await second)
    #expect(together.0 == alone.0 && together.1 == alone.1)
  }

  @Test func budgetRefusesWorkBeforeItBegins() throws {
    let world = try TinyWorld()
    var segmenter = try world.train()
    segmenter.fit = .pad
    // 3,000 × 1,000 pixels at 32 pixels of the shorter side: small. Large ones need more than 70 MB.
    let tall = Image(width: 64, height: 1000, pixels: [UInt8](repeating: 9, count: 3 * 64_000))
    _ = try segmenter.segment(tall)
    let error = MemoryBudget.withBytes(1) {
      #expect(throws: DataError.self) {
        try AvailableMemory.require(1e9, file: "work", item: "memory")
      }
    }
    #expect(error?.kind == .unsupported && error?.expected.contains("the memory budget") == true)
    // Whatever is set, no more than there is.
    let most = MemoryBudget.withBytes(.max) { MemoryBudget.available }
    #expect(most?.bytes ?? 0 < Int.max)
    #expect(MemoryBudget.bytes == nil)
  }
}
