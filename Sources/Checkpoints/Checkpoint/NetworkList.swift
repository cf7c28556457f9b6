import Base

/// The networks of one kind that a checkpoint holds: found by a tensor that each of them has, whatever programs put
/// before its name.
///
/// Training programs wrap a network in dictionaries (`state_dict`), in other modules (`module.`, `_orig_mod.`,
/// `denoise_fn.`), and save it with its moving average, optimizer and settings.
public struct NetworkList: Sendable {
  /// A network in a file.
  public struct Member: Sendable {
    /// What stands before its names, without the dot or slash at its end; a dot where nothing does.
    public let name: String
    /// What stands before every name in the file, for instance `model_state_dict/module.`.
    public let prefix: String
    /// Whether it is a moving average of another's weights, by its name.
    public let isAverage: Bool
    /// Whether its place is in the state of an optimizer.
    let isOptimizer: Bool
  }

  public let file: String
  /// In the order of the file. What lies in the states of optimizers is not among them.
  public let members: [Member]
  private let entries: [CheckpointEntry]
  /// All places where names begin, the longest first.
  private let prefixes: [String]

  /// More are not told apart.
  private static let mostMembers = 64

  /// - Parameters:
  ///   - checkpoint: the file to look through
  ///   - anchor: the name of a tensor that every network of the kind has
  public init(_ checkpoint: Checkpoint, anchor: String) {
    var members: [String] = []
    for entry in checkpoint.entries where members.count < Self.mostMembers {
      guard entry.path.hasSuffix(anchor), entry.value.isTensor else { continue }
      let prefix = String(entry.path.dropLast(anchor.count))
      if prefix.isEmpty || prefix.hasSuffix(".") || prefix.hasSuffix("/") { members.append(prefix) }
    }
    self.init(checkpoint, prefixes: members)
  }

  /// Networks whose places are known.
  /// - Parameters:
  ///   - checkpoint: the file that they lie in
  ///   - prefixes: what stands before the names of each
  package init(_ checkpoint: Checkpoint, prefixes: [String]) {
    file = checkpoint.path
    entries = checkpoint.entries
    let members = prefixes.map(Member.init(prefix:))
    self.prefixes = members.map(\.prefix).sorted { $0.utf8.count > $1.utf8.count }
    self.members = members.filter { !$0.isOptimizer }
  }

  /// Their names, for messages.
  public var names: String { members.map(\.name).joined(separator: ", ") }

  /// The one that is meant.
  /// - Throws: `DataError` that lists the names there are, when there is no such one or none to prefer.
  public func chosen(
    _ choice: WeightsChoice, notices: Notices = Notices()
  ) throws(DataError) -> Member? {
    if case .named(let name) = choice { return try named(name) }
    guard members.count > 1 else { return members.first }
    if case .version010 = choice,
      let first = explicit(["model_state_dict"]) ?? explicit(["state_dict"]) ?? explicit(["ema", "model"])
    {
      return first
    }
    let averages = members.filter(\.isAverage)
    if averages.count == 1 {
      notices.add(
        .guessed, file: file, item: averages[0].name,
        "the moving average is taken of several networks (\(names)); --weights NAME takes another")
      return averages[0]
    }
    if averages.isEmpty, let first = explicit(["model_state_dict"]) ?? explicit(["state_dict"]) {
      notices.add(
        .guessed, file: file, item: first.name,
        "it is taken of several networks (\(names)); --weights NAME takes another")
      return first
    }
    throw DataError(
      .malformed, file: file, expected: "one network, or a choice (--weights NAME)",
      found: "several: \(names)")
  }

  /// The only one whose first key is among some.
  private func explicit(_ keys: [String]) -> Member? {
    let found = members.filter { member in keys.contains { member.prefix.hasPrefix($0 + "/") } }
    return found.count == 1 ? found[0] : nil
  }

  /// A whole name, the beginning of one, or a part in the middle, in this order.
  private func named(_ name: String) throws(DataError) -> Member {
    let wanted = Self.parts(name)
    let rules: [(Member) -> Bool] = [
      { $0.name == name || $0.prefix == name || Self.parts($0.prefix) == wanted },
      { Self.parts($0.prefix).starts(with: wanted) },
      { Self.parts($0.prefix).contains(sequence: wanted) },
    ]
    for rule in rules {
      let found = members.filter(rule)
      if found.count == 1 { return found[0] }
      if found.count > 1 { break }
    }
    throw DataError(
      .invalidArgument, file: file, item: "weights",
      expected: members.isEmpty ? "the name of a network" : "the name of one of its networks: \(names)",
      found: name)
  }

  private static func parts(_ name: String) -> [Substring] { name.split { $0 == "/" || $0 == "." } }

  /// The parameters of a network under their own names.
  /// - Throws: `DataError` naming a tensor of numbers that cannot be read, such as complex ones.
  public func state(of member: Member) throws(DataError) -> StateDictionary {
    let inside = prefixes.filter { $0 != member.prefix && $0.hasPrefix(member.prefix) }
    for entry in entries where entry.path.hasPrefix(member.prefix) {
      guard case .opaque(let what) = entry.value, what.hasPrefix(CheckpointValue.unknownTensor),
        !entry.path.dropFirst(member.prefix.count).contains("/"),
        !inside.contains(where: entry.path.hasPrefix)
      else { continue }
      throw DataError(
        .unsupported, file: file, item: entry.path, expected: "real numbers in plain tensors", found: what)
    }
    let tensors = entries.compactMap { entry -> NamedArray? in
      guard case .tensor(let array) = entry.value, entry.path.hasPrefix(member.prefix),
        !inside.contains(where: entry.path.hasPrefix)
      else { return nil }
      let name = entry.path.dropFirst(member.prefix.count)
      // What lies in a dictionary beside the names is no part of the network.
      return name.contains("/") ? nil : NamedArray(name: String(name), array: array)
    }
    return StateDictionary(tensors, file: file, prefix: member.prefix)
  }
}

extension NetworkList.Member {
  init(prefix: String) {
    self.prefix = prefix
    name = prefix.isEmpty ? "." : String(prefix.dropLast())
    let words = prefix.lowercased().split { !$0.isLetter && !$0.isNumber }
    isAverage = words.contains { Self.averages.contains($0) }
    isOptimizer =
      prefix.contains("exp_avg") || words.contains { $0.hasPrefix("optim") || Self.optimizers.contains($0) }
  }

  private static let averages: Set<Substring> = [
    "ema", "modelema", "emamodel", "netema", "unetema", "avg", "averaged", "average", "swa", "shadow",
  ]
  /// Words for what optimizers keep of each weight.
  private static let optimizers: Set<Substring> = ["opt", "momentum", "grad", "grads", "adam"]
}

extension [Substring] {
  fileprivate func contains(sequence: [Substring]) -> Bool {
    guard !sequence.isEmpty, count >= sequence.count else { return false }
    return (0...count - sequence.count).contains { Array(self[$0..<$0 + sequence.count]) == sequence }
  }
}
