import Base

/// One setting in an option table: its name, help, and how its value becomes text and back.
public struct TableOption<Table>: Sendable {
  /// As a flag has it, without the dashes: `head-channels`.
  public let key: String
  public let help: String
  /// The values that it takes, for messages and as the placeholder in help.
  public let expected: String
  /// Keys of other ways to say the same: setting one clears the others.
  public let rivals: [String]
  /// Whether results depend on it, so that files keep it; otherwise it decides on speed or memory alone.
  public let isRecorded: Bool
  /// The values that can stand in a record; nil for all that `set` takes. A record must not make anybody open a file.
  public let recordValues: [String]?
  let get: @Sendable (Table) -> String?
  let set: @Sendable (inout Table, String) throws(DataError) -> Bool

  /// - Parameters:
  ///   - key: as a flag has it, without the dashes: `head-channels`
  ///   - help: of the flag, a sentence
  ///   - expected: the values that it takes, for messages and as the placeholder in help
  ///   - rivals: keys of other ways to say the same: setting one clears the others
  ///   - isRecorded: whether results depend on it, so that files keep it
  ///   - recordValues: the values that can stand in a record; nil for all that `set` takes
  ///   - get: the value as text; nil where the table does not say it
  ///   - set: returns false when the text is no such value
  public init(
    _ key: String, _ help: String, expected: String, rivals: [String] = [], isRecorded: Bool = true,
    recordValues: [String]? = nil,
    get: @escaping @Sendable (Table) -> String?,
    set: @escaping @Sendable (inout Table, String) throws(DataError) -> Bool
  ) {
    self.key = key
    self.help = help
    self.expected = expected
    self.rivals = rivals
    self.isRecorded = isRecorded
    self.recordValues = recordValues
    self.get = get
    self.set = set
  }

  /// The key in words: `head channels`.
  public var title: String { key.replacing("-", with: " ") }
  /// The key in the metadata of files: `dseg.head_channels`.
  public var metadataKey: String { "dseg." + key.replacing("-", with: "_") }
}

extension TableOption {
  /// A whole number.
  public init(
    _ key: String, _ help: String, rivals: [String] = [], isRecorded: Bool = true,
    _ path: WritableKeyPath<Table, Int> & Sendable
  ) {
    self.init(
      key, help, expected: "number", rivals: rivals, isRecorded: isRecorded, get: { "\($0[keyPath: path])" },
      set: { table, text in
        guard let number = Int(text) else { return false }
        table[keyPath: path] = number
        return true
      })
  }

  /// True or false.
  public init(
    _ key: String, _ help: String, isRecorded: Bool = true, _ path: WritableKeyPath<Table, Bool> & Sendable
  ) {
    self.init(
      key, help, expected: "true|false", isRecorded: isRecorded, get: { "\($0[keyPath: path])" },
      set: { table, text in
        guard let value = Bool(text) else { return false }
        table[keyPath: path] = value
        return true
      })
  }

  /// One of several names.
  public init<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ key: String, _ help: String, isRecorded: Bool = true, _ path: WritableKeyPath<Table, Choice> & Sendable
  ) {
    self.init(
      key, help, expected: Choice.allCases.map(\.rawValue).joined(separator: "|"), isRecorded: isRecorded,
      get: { $0[keyPath: path].rawValue },
      set: { table, text in
        guard let choice = Choice(rawValue: text) else { return false }
        table[keyPath: path] = choice
        return true
      })
  }

  /// A number that need not be said, as any text of a number that is finite.
  public init(_ key: String, _ help: String, _ path: WritableKeyPath<Table, Double?> & Sendable) {
    self.init(
      key, help, expected: "number", get: { $0[keyPath: path].map { "\($0)" } },
      set: { table, text in
        guard let number = Double(text), number.isFinite else { return false }
        table[keyPath: path] = number
        return true
      })
  }

  /// True or false, or not said.
  public init(_ key: String, _ help: String, _ path: WritableKeyPath<Table, Bool?> & Sendable) {
    self.init(
      key, help, expected: "true|false", get: { $0[keyPath: path].map { "\($0)" } },
      set: { table, text in
        guard let value = Bool(text) else { return false }
        table[keyPath: path] = value
        return true
      })
  }

  /// A whole number that need not be said.
  public init(_ key: String, _ help: String, _ path: WritableKeyPath<Table, Int?> & Sendable) {
    self.init(
      key, help, expected: "number", get: { $0[keyPath: path].map { "\($0)" } },
      set: { table, text in
        guard let number = Int(text) else { return false }
        table[keyPath: path] = number
        return true
      })
  }

  /// A number.
  public init(_ key: String, _ help: String, _ path: WritableKeyPath<Table, Double> & Sendable) {
    self.init(
      key, help, expected: "number", get: { "\($0[keyPath: path])" },
      set: { table, text in
        guard let number = Double(text), number.isFinite else { return false }
        table[keyPath: path] = number
        return true
      })
  }

  /// Whole numbers joined by commas that need not be said.
  public init(_ key: String, _ help: String, _ path: WritableKeyPath<Table, [Int]?> & Sendable) {
    self.init(
      key, help, expected: "numbers joined by commas",
      get: { $0[keyPath: path]?.map { "\($0)" }.joined(separator: ",") },
      set: { table, text in
        guard let numbers = numbers(in: text) else { return false }
        table[keyPath: path] = numbers
        return true
      })
  }

  /// Numbers joined by commas.
  public init(_ key: String, _ help: String, _ path: WritableKeyPath<Table, [Double]> & Sendable) {
    self.init(
      key, help, expected: "numbers joined by commas",
      get: { $0[keyPath: path].map { "\($0)" }.joined(separator: ",") },
      set: { table, text in
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0) }
        guard numbers.count == parts.count, numbers.allSatisfy(\.isFinite) else { return false }
        table[keyPath: path] = numbers
        return true
      })
  }

  /// Whole numbers joined by commas.
  public init(_ key: String, _ help: String, _ path: WritableKeyPath<Table, [Int]> & Sendable) {
    self.init(
      key, help, expected: "numbers joined by commas",
      get: { $0[keyPath: path].map { "\($0)" }.joined(separator: ",") },
      set: { table, text in
        guard let numbers = numbers(in: text) else { return false }
        table[keyPath: path] = numbers
        return true
      })
  }
}

extension TableOption {
  /// The same setting in the table of a model that holds this table.
  /// - Parameters:
  ///   - path: where this table lies
  ///   - help: in the place of this setting's own
  public func inside<Outer>(
    _ path: WritableKeyPath<Outer, Table> & Sendable, help: String? = nil
  ) -> TableOption<Outer> {
    TableOption<Outer>(
      key, help ?? self.help, expected: expected, rivals: rivals, isRecorded: isRecorded,
      recordValues: recordValues, get: { get($0[keyPath: path]) },
      set: { (outer, text) throws(DataError) in try set(&outer[keyPath: path], text) })
  }
}

/// Whole numbers joined by commas; nil for anything else.
private func numbers(in text: String) -> [Int]? {
  let parts = text.split(separator: ",", omittingEmptySubsequences: false)
  let numbers = parts.compactMap { Int($0) }
  return numbers.count == parts.count ? numbers : nil
}
