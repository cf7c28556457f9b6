import ArgumentParser
import Augment
import Backbones
import Base
import Checkpoints
import Features
import Foundation

/// What is said of several pretrained models.
struct NamedModelOptions: ParsableArguments {
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
}

/// Several pretrained models on a command line: files under names (`NAME=file`), and what is said of one of them
/// (`NAME:key=value`) or of all.
struct NamedModels {
  /// A model of a name, of this kind.
  typealias Kind = (name: String, kind: any Backbone.Type)

  private let checkpoints: [Checkpoint]
  let models: [Kind]

  /// Opens the files, each once.
  /// - Parameters:
  ///   - files: `[name=]file`
  ///   - kinds: `[name:]kind`
  ///   - kindOfFirst: of the first model, unless `kinds` says it
  ///   - notices: told where a name is taken for a part of the file's
  /// - Throws: `DataError` when a file is no model, or a name is unknown or that of two.
  init(
    _ files: [String], kinds: [String], kindOfFirst: String? = nil, notices: Notices
  ) throws(DataError) {
    let given = try files.map { (text) throws(DataError) in try Self.named(text, notices: notices) }
    let registry = BackboneRegistry.standard
    let checkpoints = try given.map { (item) throws(DataError) in try Checkpoint(contentsOf: item.path) }
    // A kind may be part of a name; where it takes an option to know it, it is none.
    let names = try NamedFeatures.names(
      given.indices.map { index in
        let kind = try? registry.recognizing(checkpoints[index])
        return (given[index].name, kind?.kind ?? "model", given[index].path)
      })
    let chosen = try Self.sorted(kinds, names: names, option: "--backbone")
    var models: [Kind] = []
    for (index, name) in names.enumerated() {
      let choice =
        (chosen.last { $0.name == name } ?? chosen.last { $0.name == nil })?.value
        ?? (index == 0 ? kindOfFirst : nil)
      models.append((name, try registry.kind(of: checkpoints[index], named: choice)))
    }
    (self.checkpoints, self.models) = (checkpoints, models)
  }

  /// The scale of the squares that all models were trained on; nil where they were not, or not at the same.
  var trainingScale: Tiling.Scale? {
    let crops = Set(checkpoints.map { PretrainingFolder.crop($0.metadata) })
    guard crops.count == 1, case .random(let scale)?? = crops.first else { return nil }
    return scale
  }

  /// The features of all, in the order of the files.
  /// - Parameters:
  ///   - common: settings by their keys, for all models whose kind has them
  ///   - settings: `[name:]key=value`, which take the place of those
  ///   - weights: `[name:]network`
  ///   - notices: told of settings that a kind does not have, and what models have to tell
  /// - Throws: `DataError` when a name or a setting is unknown, or a setting does not fit.
  func features(
    common: [String: String], settings: [String], weights: [String], notices: Notices
  ) throws(DataError) -> [NamedFeatures] {
    let weights = try Self.sorted(weights, names: models.map(\.name), option: "--weights")
    let settings = try Self.settings(common: common, given: settings, models: models, notices: notices)
    var features: [NamedFeatures] = []
    for (index, model) in models.enumerated() {
      let choice = (weights.last { $0.name == model.name } ?? weights.last { $0.name == nil })?.value
      let found = try BackboneRegistry.standard.features(
        of: checkpoints[index], kind: model.kind.kind, settings: settings[index],
        weights: choice.map { .named($0) } ?? .automatic, notices: notices)
      features.append(NamedFeatures(model.name, found))
    }
    return features
  }

  // MARK: Names

  /// `NAME=path`, unless a file has that whole name or no name can stand before the sign.
  static func named(_ text: String, notices: Notices) throws(DataError) -> (name: String?, path: String) {
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

  /// Whether a name stands before the text.
  static func isNamed(_ text: String) -> Bool { text.prefix { $0 != "=" }.contains(":") }

  /// Texts with the names before their first colon, which stands before any equals sign.
  /// - Throws: `DataError` that lists the names for one that no model has.
  static func sorted(
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

  // MARK: Settings

  /// The settings of each model, in the order of the models.
  /// - Throws: `DataError` for a name that there is not, or a setting without a name that no model knows.
  static func settings(
    common: [String: String], given: [String], models: [Kind], notices: Notices
  ) throws(DataError) -> [[String: String]] {
    let given = try sorted(given, names: models.map(\.name), option: "-b")
    let common = common.merging(given.filter { $0.name == nil }.map { NetworkSettings.pair($0.value) }) {
      _, new in new
    }
    let shared =
      models.count > 1
      ? try limited(common, to: models, notices: notices) : [[String: String]](repeating: common, count: 1)
    return zip(models, shared).map { model, shared in
      shared.merging(given.filter { $0.name == model.name }.map { NetworkSettings.pair($0.value) }) {
        _, new in new
      }
    }
  }

  /// Leaves each model those settings of all that its kind knows.
  private static func limited(
    _ common: [String: String], to models: [Kind], notices: Notices
  ) throws(DataError) -> [[String: String]] {
    var limited = [[String: String]](repeating: common, count: models.count)
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
        limited[index][key] = nil
        notices.add(
          .ignored, file: models[index].name, item: "\(key)=\(value)",
          "\(models[index].kind.kind) has no such setting")
      }
    }
    return limited
  }
}
