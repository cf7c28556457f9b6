import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Experiments
import Foundation
import Layers
import PixelClassifier
import TensorCore
import TestSupport
import Training

/// What a caller repeats: a piece of everything that promises the same bits each time. Files are its own.
final class StressWork {
  private let world: TinyWorld
  private let segmenter: Segmenter
  private var runs = 0

  init() throws {
    world = try TinyWorld()
    segmenter = try world.train(seed: 9)
  }

  typealias Item = (name: String, bits: String)

  /// Everything once.
  /// - Parameter order: where to begin, so that callers do different things at the same time
  func run(order: Int) throws -> [Item] {
    let pieces: [(String, () throws -> Bits)] = [
      ("kernels", kernels), ("features", features), ("training", training), ("prediction", prediction),
      ("pretraining", pretraining), ("sampling", sampling), ("experiment", experiment),
    ]
    return try pieces.indices.map { index in
      let (name, body) = pieces[(index + order) % pieces.count]
      return (name, try body().text)
    }
  }

  private func kernels() throws -> Bits {
    var random = Philox(seed: 1)
    var bits = Bits()
    let x = random.normal(shape: [2, 20, 27, 32])
    let weight = random.normal(shape: [48, 32, 3, 3])
    for algorithm in [ConvolutionAlgorithm.im2col, .winograd2, .winograd4, .winograd4Remade] {
      let packed = ConvolutionWeight(weight, algorithm: algorithm)
      bits.add(conv2d(ConvolutionInput(x), weight: packed, padding: 1))
    }
    for (rows, depth, outputs) in [(1, 300, 70), (64, 1000, 32), (700, 33, 1), (257, 129, 300)] {
      let (left, right) = (random.normal(shape: [rows, depth]), random.normal(shape: [outputs, depth]))
      bits.add(linear(left, weight: right))
      bits.add(linearWeightGradient(linear(left, weight: right), x: left))
    }
    bits.add(qkvAttention(random.normal(shape: [1, 100, 96]), heads: 2, order: .legacy))
    let square = random.normal(shape: [40, 40])
    bits.add(try SymmetricEigen(linear(square, weight: square)).vectors)
    return bits
  }

  private func features() throws -> Bits {
    var bits = Bits()
    for precision in [ConvolutionPolicy.Precision.fast, .reference] {
      var options = TinyWorld.options
      options.precision = precision
      let features = DiffusionFeatures(
        try DiffusionBackbone(checkpoint: world.checkpoint, options: options), steps: [50, 250, 400],
        blocks: [1, 2, 3], noise: .perImage(seed: 4), noiseCount: 2)
      let image = TinyWorld.scene(5, width: 64, height: 32).0.tensor(normalization: .ddpm)
      let maps = try features.extract(image, name: "3", precision: precision == .fast ? .half : .float)
      bits.add(maps.vectors(at: Array(0..<maps.pixelCount)))
    }
    return bits
  }

  private func training() throws -> Bits {
    var bits = Bits()
    for seed in [1, 2] as [UInt64] {
      for tensor in try world.train(seed: seed).ensemble.namedTensors { bits.add(tensor.array.tensor()) }
    }
    return bits
  }

  private func prediction() throws -> Bits {
    var bits = Bits()
    for index in 0..<3 {
      let (image, _) = TinyWorld.scene(index + 10, width: 50, height: 40)
      let result = try segmenter.segment(image, withProbabilities: true)
      bits.add(result.labels.labels)
      bits.add(Tensor(result.uncertainty, shape: [result.uncertainty.count]))
      bits.add(result.probabilities!)
    }
    return bits
  }

  private func pretraining() throws -> Bits {
    var options = DiffusionTrainingOptions()
    options.batch = 4
    options.dropout = 0.1
    options.timesteps = .lossSecondMoment
    let network = UNetConfiguration.tiny
    var trainer = try DiffusionTrainer(
      configuration: network, diffusion: GaussianDiffusion(steps: 100, varianceType: .learnedRange),
      imageSize: 16, options: options)
    for _ in 0..<2 { _ = try trainer.step(on: Squares()) }
    var bits = Bits()
    for tensor in trainer.state.parameters + trainer.state.averages { bits.add(tensor.tensor) }
    for moments in trainer.state.moments {
      bits.add(moments.mean)
      bits.add(moments.square)
    }
    return bits
  }

  private func sampling() throws -> Bits {
    let backbone = try DiffusionBackbone(checkpoint: world.checkpoint, options: TinyWorld.options)
    let sampler = try DiffusionSampler(
      network: backbone.network, options: backbone.options, method: .ddim(), steps: 4, batch: 2)
    var bits = Bits()
    bits.add(try sampler.sample(count: 3, seed: 8))
    return bits
  }

  /// Run, and run again after the record of one training was removed, which repeats that training.
  private func experiment() throws -> Bits {
    var experiment = Experiment(
      training: try world.labelled(), testSets: [try world.labelled()], features: try world.features(),
      presets: [
        try SegmenterPreset(variant: "few=init,epochs=1,models=2"),
        try SegmenterPreset(variant: "more=final,epochs=1,models=2"),
      ], seeds: [3])
    experiment.bootstrapDraws = 100
    runs += 1
    let folder = ExperimentFolder(world.folder.path("experiment-\(runs)"))
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    var bits = Bits()
    try bits.add(withoutMeasurements(experiment.run(in: folder)))
    try FileManager.default.removeItem(atPath: "\(folder.path)/runs/seed-3/more.json")
    try bits.add(withoutMeasurements(experiment.run(in: folder)))
    return bits
  }

  /// Without times, memory, and the number of threads, which are of the run and not of its results.
  private func withoutMeasurements(_ report: ExperimentReport) throws -> [UInt8] {
    var report = report
    report.seconds = 0
    report.setup.threads = 0
    for preset in report.presets.indices {
      report.presets[preset].trainingSeconds = 0
      report.presets[preset].peakBytes = nil
      for set in report.presets[preset].scores.indices {
        report.presets[preset].scores[set].secondsAPicture = 0
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return Array(try encoder.encode(report))
  }
}

/// Grey squares of different size and place.
private struct Squares: TrainingPictures, Sendable {
  let count = 12
  let imageSize = 16

  func label(of index: Int) -> Int? { nil }

  func read(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    let (place, side) = (index % 5, 4 + index % 7)
    for offset in 0..<3 * 16 * 16 {
      let (y, x) = (offset / 16 % 16, offset % 16)
      let isInside = (place..<place + side).contains(x) && (place..<place + side).contains(y)
      target[offset] = isInside ? 0.7 : -0.5
    }
  }
}

/// A sum over bits (FNV-1a) that is the same in every process.
struct Bits {
  private var sum: UInt64 = 0xCBF2_9CE4_8422_2325

  var text: String { String(sum, radix: 16) }

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  mutating func add(_ tensor: Tensor) {
    tensor.withUnsafeBufferPointer { add(UnsafeRawBufferPointer($0)) }
  }
}
