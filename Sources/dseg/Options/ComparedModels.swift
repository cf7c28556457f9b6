import ArgumentParser
import Backbones
import Base
import Checkpoints
import Features
import Foundation

/// Pretrained models to compare, each with options of its own.
struct ComparedModels: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A pretrained model (.pt or .safetensors), as often as wanted; the first is what the others are compared with. (default name: the file's)",
      valueName: "[name=]file"))
  var checkpoint: [String]
  @Option(
    help: ArgumentHelp(
      "Kind of a model: \(BackboneRegistry.standard.kinds.map { $0.kind }.joined(separator: ", ")). (default: as its file shows)",
      valueName: "[name:]kind"))
  var backbone: [String] = []
  @Option(
    help: ArgumentHelp(
      "Which network of a checkpoint that holds several, by what stands before its names, such as ema or model. (default: the moving average)",
      valueName: "[name:]network"))
  var weights: [String] = []
  @OptionGroup var flags: NetworkSettings
  @OptionGroup var selection: FeatureOptions
  @OptionGroup var drawing: NoiseOptions

  func validate() throws {
    if drawing.freshNoise && selection.noise != nil {
      throw ValidationError("--fresh-noise and --noise exclude each other.")
    }
  }

  /// A model with what was given for it alone.
  private struct Model {
    var name: String
    var checkpoint: Checkpoint
    var kind: any Backbone.Type
    var settings: [String: String] = [:]
  }

  /// The features of all, in the order of the command line.
  /// - Throws: `DataError` when a file is no model, a name or a setting is unknown, or a setting does not fit.
  func features(notices: Notices) throws(DataError) -> [NamedFeatures] {
    var models = try models(notices: notices)
    let weights = try sorted(weights, names: models.map(\.name), option: "--weights")
    let own = try sorted(flags.settings, names: models.map(\.name), option: "-b")
    let common = drawing.given.merging(selection.given) { _, new in new }
      .merging(flags.shortForms) { _, new in new }
      .merging(own.filter { $0.name == nil }.map { NetworkSettings.pair($0.value) }) { _, new in new }
    for index in models.indices { models[index].settings = common }
    if models.count > 1 { try limit(common, of: &models, notices: notices) }
    var features: [NamedFeatures] = []
    for model in models {
      let settings = own.filter { $0.name == model.name }.map { NetworkSettings.pair($0.value) }
      let choice = (weights.last { $0.name == model.name } ?? weights.last { $0.name == nil })?.value
      let found = try BackboneRegistry.standard.features(
        of: model.checkpoint, kind: model.kind.kind,
        settings: model.settings.merging(settings) { _, new in new },
        weights: choice.map { .named($0) } ?? .automatic, notices: notices)
      features.append(NamedFeatures(model.name, found))
    }
    return features
  }

  /// The checkpoints, with their kinds and names.
  private func models(notices: Notices) throws(DataError) -> [Model] {
    let given = try checkpoint.map { (text) throws(DataError) in try Self.named(text, notices: notices) }
    let registry = BackboneRegistry.standard
    let checkpoints = try given.map { (item) throws(DataError) in try Checkpoint(contentsOf: item.path) }
    // A kind may be part of a name; where it takes an option to know it, it is none.
    let names = try NamedFeatures.names(
      given.indices.map { index in
        let kind = try? registry.recognizing(checkpoints[index])
        return (given[index].name, kind?.kind ?? "model", given[index].path)
      })
    let kinds = try sorted(backbone, names: names, option: "--backbone")
    var models: [Model] = []
    for (name, checkpoint) in zip(names, checkpoints) {
      let chosen = kinds.last { $0.name == name } ?? kinds.last { $0.name == nil }
      let kind: any Backbone.Type =
        if let chosen { try registry.named(chosen.value) } else { try registry.recognizing(checkpoint) }
      models.append(Model(name: name, checkpoint: checkpoint, kind: kind))
    }
    return models
  }

  /// `NAME=path`, unless a file has that whole name or no name can stand before the sign.
  private static func named(
    _ text: String, notices: Notices
  ) throws(DataError) -> (name: String?, path: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, NamedFeatures.isName(parts[0]) else { return (nil, text) }
    guard FileManager.default.fileExists(atPath: text) else { return (parts[0], parts[1]) }
    if FileManager.default.fileExists(atPath: parts[1]) {
      notices.add(
        .suspicious, file: text, item: "--checkpoint",
        "the file of this whole name is taken, not \(parts[1]) under the name \(parts[0])")
    }
    return (nil, text)
  }

  /// Texts with the names before their first colon, which stands before any equals sign.
  /// - Throws: `DataError` that lists the names for one that no model has.
  private func sorted(
    _ texts: [String], names: [String], option: String
  ) throws(DataError) -> [(name: String?, value: String)] {
    try texts.map { (text) throws(DataError) in
      let key = text.prefix { $0 != "=" }
      guard let colon = key.firstIndex(of: ":") else { return (nil, text) }
      let name = String(key[..<colon])
      guard names.contains(name) else {
        throw DataError(
          .invalidArgument, file: option,
          expected: "the name of a checkpoint: \(names.joined(separator: ", "))", found: text)
      }
      return (name, String(text[text.index(after: colon)...]))
    }
  }

  /// Leaves each model those settings of all that its kind knows.
  /// - Throws: `DataError` for a setting that no model knows.
  private func limit(
    _ common: [String: String], of models: inout [Model], notices: Notices
  ) throws(DataError) {
    for (key, value) in common.sorted(by: { $0.key < $1.key }) {
      guard models.contains(where: { $0.kind.settingKeys.contains(key) }) else {
        let kinds = models.reduce(into: [any Backbone.Type]()) { kinds, model in
          if !kinds.contains(where: { $0 == model.kind }) { kinds.append(model.kind) }
        }
        throw DataError(
          .invalidArgument, file: "--\(key)",
          expected: kinds.map { "a setting of \($0.kind): \($0.settingKeys.joined(separator: ", "))" }
            .joined(separator: "; or "), found: "\(key)=\(value)")
      }
      for index in models.indices where !models[index].kind.settingKeys.contains(key) {
        models[index].settings[key] = nil
        notices.add(
          .ignored, file: models[index].name, item: "\(key)=\(value)",
          "\(models[index].kind.kind) has no such setting")
      }
    }
  }
}
