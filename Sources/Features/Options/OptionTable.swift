import Base
import Checkpoints

/// Settings that know their own names: one table makes flags, help, metadata, records and rows of `inspect`.
public protocol OptionTable: Sendable, Equatable {
  /// The settings of the published checkpoints.
  init()
  /// All settings. Where two of them say the same in different ways, the later one decides.
  static var options: [TableOption<Self>] { get }
  /// What is odd about these settings beside those that a model is known to have: key of a setting that has no effect,
  /// and why.
  func ineffective(besides stated: Self) -> [(key: String, reason: String)]
}

extension OptionTable {
  public func ineffective(besides stated: Self) -> [(key: String, reason: String)] { [] }

  /// The setting of a key; nil where there is none.
  public static func option(_ key: String) -> TableOption<Self>? { options.first { $0.key == key } }

  /// A setting as text; nil where the table does not say it.
  public subscript(key: String) -> String? { Self.option(key)?.get(self) }

  /// Changes a setting.
  /// - Parameters:
  ///   - key: of a setting in the table: `head-channels`
  ///   - text: the value as a flag or a record has it
  ///   - source: what asks for it, for messages: a file, or nothing for the command line
  ///   - item: what messages call the setting; its key unless given
  /// - Throws: `DataError` when there is no such setting, or the text is no value of it.
  public mutating func set(
    _ key: String, to text: String, source: String = "", item: String? = nil
  ) throws(DataError) {
    let item = item ?? key
    func refusal(_ expected: String, _ found: String) -> DataError {
      source.isEmpty
        ? DataError(.invalidArgument, file: item, expected: expected, found: found)
        : DataError(.malformed, file: source, item: item, expected: expected, found: found)
    }
    guard let option = Self.option(key) else {
      throw refusal(Self.options.map(\.key).joined(separator: ", "), key)
    }
    guard try option.set(&self, text) else { throw refusal(option.expected, text) }
  }

  /// Changes settings in the order of the table.
  /// - Throws: `DataError` as `set` does.
  public mutating func set(_ values: [String: String], source: String = "") throws(DataError) {
    for key in values.keys.sorted() where Self.option(key) == nil {
      try set(key, to: values[key]!, source: source)
    }
    for option in Self.options {
      if let text = values[option.key] { try set(option.key, to: text, source: source) }
    }
  }

  /// The settings that results depend on, by key.
  public var record: [String: String] {
    var record: [String: String] = [:]
    for option in Self.options where option.isRecorded { record[option.key] = option.get(self) }
    return record
  }

  /// Settings from a record; those that it does not name keep their defaults.
  /// - Throws: `DataError` naming a key or value that this version does not know.
  public init(record: [String: String], file: String) throws(DataError) {
    self.init()
    for option in Self.options {
      guard let values = option.recordValues, let text = record[option.key], !values.contains(text) else {
        continue
      }
      throw DataError(
        .malformed, file: file, item: option.key, expected: values.joined(separator: "|"), found: text)
    }
    try set(record, source: file)
  }
}

// MARK: The metadata of files

extension OptionTable {
  /// Strings for the metadata of a safetensors file.
  public var metadata: [String: String] {
    var metadata: [String: String] = [:]
    for option in Self.options where option.isRecorded { metadata[option.metadataKey] = option.get(self) }
    return metadata
  }

  /// The metadata of a file with these settings in the place of its own: none of them stays, since two of them can
  /// exclude each other.
  public func metadata(replacingThoseOf other: [String: String]) -> [String: String] {
    let keys = Set(Self.options.map(\.metadataKey))
    return other.filter { !keys.contains($0.key) }.merging(metadata) { _, new in new }
  }

  /// The settings in the metadata of a file; defaults where it says nothing.
  /// - Throws: `DataError` when what it says is no value of a setting.
  public init(metadata: [String: String], notices: Notices = Notices(), file: String) throws(DataError) {
    self.init()
    for option in Self.options where option.isRecorded {
      guard let text = metadata[option.metadataKey] else { continue }
      for rival in Self.options where option.rivals.contains(rival.key) {
        // Of two, the later one in the table is the one that says both.
        guard let other = metadata[rival.metadataKey], Self.comes(rival.key, before: option.key) else {
          continue
        }
        notices.add(
          .guessed, file: file, item: "metadata",
          "it says both \(rival.title) \(other) and \(option.title) \(text); \(option.title) \(text) is taken"
        )
      }
      try set(option.key, to: text, source: file, item: "metadata \(option.metadataKey)")
    }
  }

  /// The settings that a checkpoint says it needs.
  /// - Throws: `DataError` when it cannot be read, or what it says is no value of a setting.
  public init(checkpoint path: String) throws(DataError) {
    try self.init(metadata: Checkpoint(contentsOf: path).metadata, file: path)
  }

  private static func comes(_ key: String, before other: String) -> Bool {
    let keys = options.map(\.key)
    return keys.firstIndex(of: key)! < keys.firstIndex(of: other)!
  }

  /// Tells where settings that somebody asks for are not those that a model was trained with.
  /// - Parameters:
  ///   - stated: the settings that are known
  ///   - metadata: of the file, which names those that it knows; nil when all settings are known
  ///   - file: what knows them, for messages
  ///   - notices: told a sentence for each such setting
  public func noticeContradictions(
    to stated: Self, metadata: [String: String]? = nil, file: String, notices: Notices
  ) {
    func isKnown(_ option: TableOption<Self>) -> Bool {
      metadata.map { $0[option.metadataKey] != nil } ?? true
    }
    for option in Self.options where option.isRecorded {
      guard let value = option.get(self), option.get(stated) != value else { continue }
      let others = [option] + Self.options.filter { option.rivals.contains($0.key) }
      guard let known = others.first(where: { isKnown($0) && $0.get(stated) != nil }) else { continue }
      let right = known.get(stated)!
      notices.add(
        .suspicious, file: file, item: "\(option.title) \(value)",
        "the model was trained with \(known.key == option.key ? "" : known.title + " ")\(right) by what the file says"
      )
    }
    for (key, reason) in ineffective(besides: stated) {
      notices.add(.ignored, file: file, item: key.replacing("-", with: " "), reason)
    }
  }
}
