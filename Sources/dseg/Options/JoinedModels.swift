import ArgumentParser
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features

/// A pretrained model, perhaps with others whose activations follow its own in the vector of a pixel. What is not given
/// keeps the value that the file or the segmenter has, or else its default.
struct JoinedModels: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Another pretrained model, whose activations follow those of the first in the vector of a pixel; as often as wanted.",
      valueName: "[name=]file"))
  var also: [String] = []
  @OptionGroup var options: NamedModelOptions

  /// What was given for all models, by the keys of option tables.
  /// - Parameter others: settings from other flags and files, which these take the place of
  func given(_ others: [String: String] = [:]) -> [String: String] {
    others.merging(options.flags.shortForms) { _, new in new }
      .merging(options.flags.settings.filter { !NamedModels.isNamed($0) }.map(NetworkSettings.pair)) {
        _, new in new
      }
  }

  /// What was given for one of the models.
  private var named: [String] { options.flags.settings.filter(NamedModels.isNamed) }

  /// Whether nothing was said.
  var isEmpty: Bool {
    also.isEmpty && options.backbone.isEmpty && options.weights.isEmpty && options.flags.settings.isEmpty
      && options.flags.shortForms.isEmpty
  }

  /// Paths of the files, for checks of what is written.
  func paths(first: String?) -> [String?] {
    ([first].compactMap(\.self) + also).map { (try? NamedModels.named($0, notices: Notices()).path) ?? $0 }
  }

  /// Opens the files.
  /// - Parameters:
  ///   - first: `[name=]file` of the first model
  ///   - kind: of the first model, unless an option says it
  /// - Throws: `DataError` when a file is no model, or a name is unknown or that of two.
  func opened(first: String, kind: String? = nil) throws(DataError) -> NamedModels {
    try NamedModels([first] + also, kinds: options.backbone, kindOfFirst: kind, notices: .ofThisRun)
  }

  /// The features of models that were opened.
  /// - Throws: `DataError` when a setting is unknown or does not fit.
  func features(of models: NamedModels, common: [String: String]) throws(DataError) -> any PixelFeatures {
    let features = try models.features(
      common: common, settings: named, weights: options.weights, notices: .ofThisRun)
    return try CombinedFeatures.joining(features.flatMap { $0.features.models })
  }

  /// What is to be changed about the models of a segmenter, which have the names of their files there.
  /// - Parameters:
  ///   - file: the segmenter's
  ///   - first: where the first model is now
  ///   - others: settings from other flags, for all models whose kind has them
  /// - Throws: `DataError` when there are more files than models, or a name or a setting is unknown.
  func changes(
    to file: SegmenterFile, first: String?, others: [String: String]
  ) throws(DataError) -> [Segmenter.ModelChanges] {
    let backbones = file.record.backbones
    let registry = BackboneRegistry.standard
    let names = try NamedFeatures.names(backbones.map { (nil, $0.kind, $0.checkpoint.path) })
    var models: [NamedModels.Kind] = []
    for (name, backbone) in zip(names, backbones) {
      models.append((name, try registry.named(backbone.kind, source: file.path)))
    }
    for (name, kind) in try NamedModels.sorted(options.backbone, names: names, option: "--backbone") {
      for model in models where model.name == name ?? model.name && model.kind.kind != kind {
        throw DataError(
          .invalidArgument, file: "--backbone",
          expected: "\(model.kind.kind), which \(file.path) was trained with", found: kind)
      }
    }
    let settings = try NamedModels.settings(
      common: given(others), given: named, models: models, notices: .ofThisRun)
    let weights = try NamedModels.sorted(options.weights, names: names, option: "--weights")
    let places = try places(names: names, first: first, segmenter: file.path)
    return names.indices.map { index in
      let choice = weights.last { $0.name == names[index] } ?? weights.last { $0.name == nil }
      return Segmenter.ModelChanges(
        checkpoint: places[index], weights: choice.map { .named($0.value) }, settings: settings[index])
    }
  }

  /// Where the models are now: by name, or else in their order.
  private func places(
    names: [String], first: String?, segmenter: String
  ) throws(DataError) -> [String?] {
    var places = [String?](repeating: nil, count: names.count)
    for (position, text) in ([first] + also).enumerated() {
      guard let text else { continue }
      let (name, path) = try NamedModels.named(text, notices: .ofThisRun)
      guard let index = name.map({ names.firstIndex(of: $0) }) ?? position, index < names.count else {
        throw DataError(
          .invalidArgument, file: position == 0 ? "--checkpoint" : "--also",
          expected: "places of the models of \(segmenter): \(names.joined(separator: ", "))", found: text)
      }
      places[index] = path
    }
    return places
  }
}
