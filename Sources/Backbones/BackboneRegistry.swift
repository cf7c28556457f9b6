import Base
import Checkpoints
import DiffusionCore
import Features

/// The kinds of models that features can be taken from.
public struct BackboneRegistry: Sendable {
  public var kinds: [any Backbone.Type]

  public init(_ kinds: [any Backbone.Type]) { self.kinds = kinds }

  /// All kinds of this package: a line each.
  public static let standard = BackboneRegistry([
    DiffusionBackbone.self, LatentDiffusion.self, MAE.self, SwAV.self,
  ])
}

extension BackboneRegistry {
  /// The kind of this name.
  /// - Throws: `DataError` that lists the names there are.
  public func named(_ name: String, source: String = "") throws(DataError) -> any Backbone.Type {
    if let kind = kinds.first(where: { $0.kind == name }) { return kind }
    let names = kinds.map { $0.kind }.joined(separator: ", ")
    throw source.isEmpty
      ? DataError(.invalidArgument, file: "--backbone", expected: names, found: name)
      : DataError(.unsupported, file: source, item: "backbone", expected: names, found: name)
  }

  /// The kind of a checkpoint.
  /// - Throws: `DataError` that says what else the file is, or lists the kinds when several recognize it.
  public func recognizing(_ checkpoint: Checkpoint) throws(DataError) -> any Backbone.Type {
    let found = kinds.filter { $0.recognizes(checkpoint) }
    if found.count == 1 { return found[0] }
    guard found.isEmpty else {
      throw DataError(
        .invalidArgument, file: "--backbone", expected: found.map { $0.kind }.joined(separator: " or "),
        found: "none, and \(checkpoint.path) may be any of these")
    }
    throw DataError(
      .unsupported, file: checkpoint.path,
      expected: kinds.map { "\($0.kind) (\($0.anchor), …)" }.joined(separator: ", "), found: what(checkpoint))
  }

  /// The kind of a checkpoint, as somebody says or as its names tell.
  /// - Parameters:
  ///   - checkpoint: `.pt` or `.safetensors`
  ///   - name: of a kind; nil to recognize it
  /// - Throws: `DataError` for an unknown name, and one that says what the file is where it has no network of the kind.
  public func kind(of checkpoint: Checkpoint, named name: String?) throws(DataError) -> any Backbone.Type {
    guard let name else { return try recognizing(checkpoint) }
    let kind = try named(name)
    // A kind may read more files by its name than it recognizes.
    guard !kind.recognizes(checkpoint), kind.networkNames(in: checkpoint).isEmpty else { return kind }
    let others = kinds.filter { $0.recognizes(checkpoint) }.map { "\($0.kind) (\($0.anchor), …)" }
    throw DataError(
      .unsupported, file: checkpoint.path, expected: "\(kind.kind) (\(kind.anchor), …)",
      found: others.isEmpty ? what(checkpoint) : others.joined(separator: " or "))
  }

  /// What a file is that holds no network of any kind.
  private func what(_ checkpoint: Checkpoint) -> String {
    OtherCheckpoint(checkpoint)?.what ?? closest(to: checkpoint) ?? OtherCheckpoint.unknown(checkpoint).what
  }

  /// The kind that a file of none comes closest to, and what is missing; nil for one that resembles none.
  private func closest(to checkpoint: Checkpoint) -> String? {
    // More than any network has are not looked through.
    let names = checkpoint.tensors.prefix(20_000).map(\.name)
    func isThere(_ landmark: String) -> Bool {
      names.contains { name in
        name.hasSuffix(landmark) && [nil, ".", "/"].contains(name.dropLast(landmark.count).last)
      }
    }
    let candidates = kinds.map { kind in
      let missing = kind.landmarks.filter { !isThere($0) }
      let found = kind.landmarks.count - missing.count
      return (
        kind: kind.kind, missing: missing, found: found, share: Double(found) / Double(kind.landmarks.count)
      )
    }
    // A single name may be anybody's. The first of equal ones counts.
    let resembling = candidates.filter { $0.found > 1 }
    guard let best = resembling.reversed().max(by: { $0.share < $1.share }) else { return nil }
    let tensors = "\(checkpoint.tensors.count) tensors"
    return best.missing.isEmpty
      ? "\(tensors) with the names of \(best.kind), but not as one network"
      : "\(tensors), which come closest to \(best.kind) but have no \(best.missing.joined(separator: ", "))"
  }

  /// The features of a checkpoint.
  /// - Parameters:
  ///   - checkpoint: `.pt` or `.safetensors`
  ///   - kind: nil to recognize it
  ///   - settings: what is known beside the checkpoint, by keys of the tables of its kind; those that contradict what
  ///     the file says are told
  ///   - weights: which network, of several in the file
  ///   - notices: told what was guessed, and of settings that contradict what the file says
  /// - Throws: `DataError` when the file is no such model, or a setting is unknown or does not fit it.
  public func features(
    of checkpoint: Checkpoint, kind: String? = nil, settings: [String: String] = [:],
    weights: WeightsChoice = .automatic, notices: Notices = Notices()
  ) throws(DataError) -> any ModelFeatures {
    return try self.kind(of: checkpoint, named: kind).features(
      of: checkpoint, settings: settings, weights: weights, notices: notices)
  }

  /// The features that a record tells of, with some settings changed.
  /// - Parameters:
  ///   - checkpoint: the file that the features of the record were taken from, or one with the same model
  ///   - record: kind of model, its settings, and the choice of activations
  ///   - source: the file of the record, for messages
  ///   - changes: settings that take the place of recorded ones; those of the model are told
  ///   - weights: which network, of several in the file
  ///   - notices: told what was guessed, and of changes that contradict the record
  /// - Throws: `DataError` when the kind or a setting is unknown, or does not fit the checkpoint.
  public func features(
    of checkpoint: Checkpoint, record: FeatureRecord, source: String, changes: [String: String] = [:],
    weights: WeightsChoice = .automatic, notices: Notices = Notices()
  ) throws(DataError) -> any ModelFeatures {
    try named(record.kind, source: source).features(
      of: checkpoint, record: record, source: source, changes: changes, weights: weights, notices: notices)
  }
}

extension Backbone {
  /// Keys of both of its option tables: what it can be told beside the checkpoint.
  public static var settingKeys: [String] { Options.options.map(\.key) + Selection.options.map(\.key) }

  /// Settings by the table that they belong to.
  /// - Throws: `DataError` that lists the settings of both tables for one that is in neither.
  static func sorted(
    _ settings: [String: String]
  ) throws(DataError) -> (options: [String: String], selection: [String: String]) {
    try refuse(settings, besides: settingKeys)
    return (
      settings.filter { Options.option($0.key) != nil }, settings.filter { Selection.option($0.key) != nil }
    )
  }

  /// - Throws: `DataError` naming the first setting that is not among some keys.
  private static func refuse(_ settings: [String: String], besides keys: [String]) throws(DataError) {
    guard let key = settings.keys.sorted().first(where: { !keys.contains($0) }) else { return }
    throw DataError(
      .invalidArgument, file: "--\(key)",
      expected: "a setting of \(kind): \(keys.joined(separator: ", "))", found: "\(key)=\(settings[key]!)")
  }

  /// The options of a checkpoint with some that are known beside it.
  public static func options(
    of checkpoint: Checkpoint, settings: [String: String], notices: Notices
  ) throws(DataError) -> Options {
    try refuse(settings, besides: Options.options.map(\.key))
    // Nobody need know of two settings in the file where a third decides.
    let isDecided = Options.options.contains { !$0.rivals.isEmpty && settings[$0.key] != nil }
    let stated = try Options(
      metadata: checkpoint.metadata, notices: isDecided ? Notices() : notices, file: checkpoint.path)
    var options = stated
    try options.set(settings)
    options.noticeContradictions(
      to: stated, metadata: checkpoint.metadata, file: checkpoint.path, notices: notices)
    return options
  }

  /// Facts about a model of this kind.
  public static func facts(
    of state: StateDictionary, checkpoint: Checkpoint, settings: [String: String]
  ) throws(DataError) -> BackboneFacts {
    var options = try Options(metadata: checkpoint.metadata, file: checkpoint.path)
    try options.set(settings)
    return try facts(of: state, options: options)
  }

  static func features(
    of checkpoint: Checkpoint, settings: [String: String], weights: WeightsChoice, notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    let settings = try sorted(settings)
    let options = try options(of: checkpoint, settings: settings.options, notices: notices)
    var selection = Selection()
    try selection.set(settings.selection)
    return try Self(checkpoint, options: options, weights: weights, notices: notices).features(
      selection, tensors: [:], notices: notices)
  }

  static func features(
    of checkpoint: Checkpoint, record: FeatureRecord, source: String, changes: [String: String],
    weights: WeightsChoice, notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    let changes = try sorted(changes)
    let trained = try Options(record: record.options, file: source)
    var options = trained
    try options.set(changes.options)
    options.noticeContradictions(to: trained, file: source, notices: notices)
    var selection = try Selection(record: record.selection, file: source)
    try selection.set(changes.selection)
    return try Self(checkpoint, options: options, weights: weights, notices: notices).features(
      selection, tensors: record.tensors, notices: notices)
  }
}
