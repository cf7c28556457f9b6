import DiffusionCore
import Foundation
import TestSupport
import Training

@testable import DiffusionSegmentation
@testable import Experiments

enum TestFile {
  static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
}

extension FuzzTarget {
  static func segmenter() throws -> FuzzTarget {
    let world = try TinyWorld()
    let noises: [FeatureNoise] = [.shared(seed: 0), .perImage(seed: 1)]
    let seeds = try noises.enumerated().map { index, noise in
      try world.train(noise: noise).write(to: world.folder.path("\(index)"))
      // The name of the folder is another each time, and inputs should be the same.
      let name = Array((world.folder.path as NSString).lastPathComponent.utf8)
      return try TestFile.bytes(world.folder.path("\(index)"))
        .replacing(name, with: [UInt8](repeating: UInt8(ascii: "x"), count: name.count))
    }
    let image = TinyWorld.scene(4, width: 32, height: 32).0
    // Settings stand as JSON in a string of the header.
    let inner: Mutation = { bytes, dice in
      var text = bytes
      guard let end = text.firstIndex(of: 0x7D), end > 20 else { return }
      var part = Array(text[8..<min(text.count, 3000)])
      TextMutation.number(&part, &dice)
      text.replaceSubrange(8..<min(text.count, 3000), with: part)
      let count = ByteMutation.number(size: 8, isBig: false, at: 0, in: bytes)
      ByteMutation.put(
        UInt64(max(0, count &+ text.count &- bytes.count)), size: 8, isBig: false, at: 0, in: &text)
      bytes = text
    }
    return FuzzTarget(
      ending: "safetensors", seeds: seeds, mutations: HeaderMutation.safetensors.all + [inner, inner, inner]
    ) { path in
      let segmenter = try Segmenter(contentsOf: path, checkpoint: world.checkpoint)
      // Larger pictures take their time and memory by right.
      let features = segmenter.features
      guard features.input.size <= 64, features.layout.count <= 16,
        ["1", "2", "4"].contains(features.models[0].record.selection["noises"])
      else { return }
      if segmenter.prediction.testTime == nil { _ = try segmenter.segment(image) }
    }
  }

  static func trainingState() throws -> FuzzTarget {
    let folder = try TemporaryFolder()
    let network = UNetConfiguration(
      modelChannels: 32, outChannels: 3, levelChannels: [32], residualBlocks: 1, levelHasAttention: [false],
      resampling: .residual, usesScaleShiftNorm: true, attention: AttentionSettings(heads: .channels(32)))
    var options = DiffusionTrainingOptions()
    options.batch = 1
    options.timesteps = .lossSecondMoment
    let diffusion = GaussianDiffusion(steps: 20, varianceType: .fixedLarge)
    let fresh = try DiffusionTrainer(
      configuration: network, diffusion: diffusion, imageSize: 8, options: options)
    var trained = fresh
    for step in 0..<20 { trained.objective.timesteps.note(losses: [Float(step)], at: [step]) }
    try trained.write(to: folder.path("state"))
    return FuzzTarget(
      ending: "safetensors", seeds: [try TestFile.bytes(folder.path("state"))],
      mutations: HeaderMutation.safetensors.all + [lastNumbers, lastNumbers]
    ) { path in
      var trainer = try DiffusionTrainer(
        objective: fresh.objective, options: fresh.options, contentsOf: path)
      do throws(DataError) {
        _ = try trainer.step(on: NoPictures())
      } catch {
        // A training that goes wrong from weights that make no sense ends with a message.
      }
    }
  }

  /// Numbers that are none, or no counts, in the last tensors of a file.
  private static func lastNumbers(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard bytes.count > 400 else { return }
    let place = bytes.count - 4 * (1 + dice.below(100))
    let value = dice.pick([Float.nan, .infinity, -.infinity, 1e30, -1e30, 0.5, 11, 1e19, -1])
    ByteMutation.put(UInt64(value.bitPattern), size: 4, isBig: false, at: place, in: &bytes)
  }

  private struct NoPictures: TrainingPictures, Sendable {
    let count = 3
    let imageSize = 8
    func label(of index: Int) -> Int? { nil }
    func read(_ index: Int, into target: UnsafeMutablePointer<Float>) {
      for offset in 0..<3 * 8 * 8 { target[offset] = Float((offset + index) % 5) / 5 }
    }
  }

  // MARK: Text

  static func classes() throws -> FuzzTarget {
    let texts = [
      #"{"classes": [{"id": 0, "name": "matrix", "color": [90, 90, 90]}, {"id": 1, "name": "left"}, {"id": 2, "name": "right"}], "ignore_label": 255, "num_classes": 3, "flip_pairs": [["left", "right"]]}"#,
      #"{"classes": [{"id": 1, "name": "é\n\u00e9"}, {"id": 0, "name": ""}]}"#,
    ]
    return FuzzTarget(ending: "json", seeds: texts.map { Array($0.utf8) }, mutations: TextMutation.all) {
      path in
      let classes = try ClassList(contentsOf: path)
      precondition((1...255).contains(classes.count))
    }
  }

  static func configuration() throws -> FuzzTarget {
    let text = #"""
      {"exp_dir": "pixel_classifiers/horse_21", "number_class": 21, "ignore_label": 255, "category": "horse_21",
       "training_path": "datasets/horse_21/real/train", "training_number": 30, "testing_path": "datasets/horse_21/test",
       "testing_number": 30, "model_type": "ddpm", "model_path": "checkpoints/ddpm/lsun_horse.pt", "dim": [256, 256, 8448],
       "steps": [50, 150, 250], "blocks": [5, 6, 7, 8, 12], "model_num": 10, "batch_size": 64, "share_noise": true,
       "input_activations": false, "upsample_mode": "bilinear", "image_size": 256}
      """#
    return FuzzTarget(ending: "json", seeds: [Array(text.utf8)], mutations: TextMutation.all) { path in
      _ = try ExperimentConfiguration(contentsOf: path)
    }
  }

  /// A finished experiment.
  private struct Finished {
    let world: TinyWorld
    let experiment: Experiment
    let folder: ExperimentFolder

    init() throws {
      world = try TinyWorld(pictures: 2)
      var experiment = Experiment(
        training: try world.labelled(), testSets: [try world.labelled()], features: try world.features(),
        presets: [
          try SegmenterPreset(variant: "a=init,epochs=1,models=1"),
          try SegmenterPreset(variant: "b=init,epochs=2,models=1"),
        ], seeds: [0])
      experiment.bootstrapDraws = 10
      folder = ExperimentFolder(world.folder.path("experiment"))
      _ = try experiment.run(in: folder)
      self.experiment = experiment
    }

    /// The file among those of the experiment, for as long as `body` looks at it.
    func with(_ file: String, inPlaceOf place: String, _ body: () throws -> Void) throws {
      let manager = FileManager.default
      try manager.moveItem(atPath: place, toPath: place + ".sound")
      defer {
        try? manager.removeItem(atPath: place)
        try? manager.moveItem(atPath: place + ".sound", toPath: place)
      }
      try manager.copyItem(atPath: file, toPath: place)
      try body()
    }
  }

  static func record() throws -> FuzzTarget {
    let finished = try Finished()
    let place = "\(finished.folder.path)/runs/seed-0/b.json"
    return FuzzTarget(ending: "json", seeds: [try TestFile.bytes(place)], mutations: TextMutation.all) {
      path in
      try finished.with(path, inPlaceOf: place) {
        _ = try finished.experiment.report(from: finished.folder).tables
      }
    }
  }

  static func settings() throws -> FuzzTarget {
    let finished = try Finished()
    let place = "\(finished.folder.path)/settings.json"
    let settings = try ExperimentSettings(finished.experiment)
    return FuzzTarget(ending: "json", seeds: [try TestFile.bytes(place)], mutations: TextMutation.all) {
      path in
      try finished.with(path, inPlaceOf: place) { try finished.folder.open(settings: settings) }
    }
  }

  static func figures() throws -> FuzzTarget {
    let finished = try Finished()
    let place = finished.folder.figuresPath
    return FuzzTarget(ending: "json", seeds: [try TestFile.bytes(place)], mutations: TextMutation.all) {
      path in
      try finished.with(path, inPlaceOf: place) { _ = try finished.folder.secondsBefore() }
    }
  }

  static func lossLog() throws -> FuzzTarget {
    let rows = (1...30).map { "\($0),\(1 / Double($0)),0.5,,0.25,\($0).125" }
    let text = (["step,loss,mse,variational,gradient_norm,seconds"] + rows).joined(separator: "\n") + "\n"
    return FuzzTarget(ending: "csv", seeds: [Array(text.utf8)], mutations: TextMutation.all) { path in
      let log = LossLog(contentsOf: path, upTo: 25, terms: ["mse", "variational"])
      _ = log.recentLoss()
      _ = try log.curve()
    }
  }
}
