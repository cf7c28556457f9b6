import Base
import DiffusionSegmentation
import Features
import Foundation
import PixelClassifier

// A leg: the experiment with one of its models.

extension Experiment {
  /// The experiment once with each of its models, in their order.
  var legs: [Experiment] {
    backbones.map { backbone in
      var leg = self
      leg.backbones = [backbone]
      leg.runFolders[backbone.name] = runFolders[backbone.name] ?? (backbones.count > 1 ? backbone.name : "")
      return leg
    }
  }

  /// The lines of the report: each model with each preset. The first is what the others are compared with.
  var lines: [(leg: Experiment, preset: SegmenterPreset, name: String)] {
    legs.flatMap { leg in presets.map { (leg, $0, lineName(leg, $0)) } }
  }

  /// Folder of a leg's runs below that of all runs; empty for that folder itself.
  var runFolder: String { runFolders[backbones[0].name] ?? "" }

  /// The features of a leg as a seed draws them.
  func features(seed: UInt64) -> any PixelFeatures { features.redrawn(seed: seed, draws: nil) }

  /// What the lines of the report are.
  var noun: String {
    switch (backbones.count > 1, presets.count > 1) {
    case (false, _): "preset"
    case (true, false): "backbone"
    case (true, true): "combination"
    }
  }

  /// Name of a line of the report: by what there are several of.
  func lineName(_ leg: Experiment, _ preset: SegmenterPreset) -> String {
    let backbone = leg.backbones[0].name
    return switch (backbones.count > 1, presets.count > 1) {
    case (false, _): preset.id
    case (true, false): backbone
    case (true, true): "\(backbone) / \(preset.id)"
    }
  }

  /// Says which settings have no effect, and what makes models hard to compare.
  func note(_ notices: Notices) {
    for leg in legs {
      for preset in presets { preset.noteIneffective(for: leg.features, notices: notices) }
    }
    let first = backbones[0]
    for other in backbones where other.features.input.size != first.features.input.size {
      notices.add(
        .suspicious, file: other.name, item: "image size \(other.features.input.size)",
        "\(first.name) sees pictures of \(first.features.input.size); labels are compared at the resolution of each"
      )
    }
  }

  /// How a preset trains with a seed.
  func options(_ preset: SegmenterPreset, seed: UInt64) -> SegmenterOptions {
    var options = SegmenterOptions(
      batchSize: batchSize, seed: seed, fit: fit, maskResampling: maskResampling,
      featurePrecision: featurePrecision)
    preset.apply(to: &options)
    return options
  }

  func prediction(_ preset: SegmenterPreset, seed: UInt64) -> PredictionSettings {
    var settings = preset.prediction
    settings.seed = seed
    return settings
  }
}

extension NamedFeatures {
  /// About the bytes of the weights: those of the files.
  var checkpointBytes: Double {
    features.models.reduce(0) { sum, model in
      let size = try? FileManager.default.attributesOfItem(atPath: model.origin.path)[.size] as? Int
      return sum + Double(size ?? 0)
    }
  }
}
