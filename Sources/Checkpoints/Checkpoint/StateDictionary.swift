import Base

/// The parameters of one network under the names that its layers give them, such as
/// `input_blocks.1.0.in_layers.2.weight`.
///
/// Training programs save more than that: they wrap the parameters in dictionaries (`model_state_dict`)
/// and networks in others that prefix every name (`module.`). Both are taken off here and kept as
/// `prefix`, so that messages can name what stands in the file.
public struct StateDictionary: Sendable {
  public let file: String
  /// What stands before every name in the file, for instance `model_state_dict/module.`.
  public let prefix: String
  /// In the order of the file. No two have the same name.
  public let tensors: [NamedArray]
  private let positions: [String: Int]

  /// Keys under which programs save parameters, the most explicit ones first.
  private static let wrappers = ["model_state_dict", "state_dict", "ema", "model"]
  /// What wrappers put before every name: data-parallel training, `torch.compile`.
  private static let wrapperPrefixes = ["module.", "_orig_mod."]

  /// Finds the parameters in a checkpoint.
  ///
  /// They are the tensors of the outermost dictionary; when it has none, those of its entry
  /// `model_state_dict` or `state_dict`, or else of `ema` or `model`, or of the only entry that holds tensors.
  /// What data-parallel training and `torch.compile` put before all names is taken off. `NetworkList` finds networks
  /// whatever their names begin with.
  /// - Parameters:
  ///   - checkpoint: the file to look through
  ///   - key: the entry to take, with `/` between keys, where that rule does not find the right one
  /// - Throws: `DataError` when there are no tensors, or several dictionaries of them and none to prefer.
  public init(_ checkpoint: Checkpoint, under key: String? = nil) throws(DataError) {
    var value = checkpoint.root
    var path: [String] = []
    if let key {
      for part in key.split(separator: "/").map(String.init) {
        guard let next = value[key: part] else {
          throw DataError(
            .malformed, file: checkpoint.path, item: key, expected: "a dictionary of tensors",
            found: "no such entry")
        }
        value = next
        path.append(part)
      }
    } else {
      while let part = try Self.wrapper(in: value, checkpoint: checkpoint, path: path),
        let next = value[key: part]
      {
        value = next
        path.append(part)
      }
    }
    let tensors = value.flattened().compactMap { entry -> NamedArray? in
      guard case .tensor(let array) = entry.value else { return nil }
      return NamedArray(name: entry.path, array: array)
    }
    guard !tensors.isEmpty else {
      throw DataError(
        .malformed, file: checkpoint.path, item: path.joined(separator: "/"),
        expected: "a dictionary of tensors",
        found: "no tensors")
    }
    self.init(tensors, file: checkpoint.path, prefix: path.map { $0 + "/" }.joined())
  }

  /// Opens a checkpoint and finds the parameters in it.
  /// - Throws: `DataError` as `Checkpoint(contentsOf:)` and `init(_:under:)` do.
  public init(contentsOf path: String, under key: String? = nil) throws(DataError) {
    try self.init(Checkpoint(contentsOf: path), under: key)
  }

  /// Parameters from anywhere. `module.` and `_orig_mod.` are taken off where all names begin with them.
  /// - Parameters:
  ///   - tensors: parameters under their names, which may begin with what a wrapper put there
  ///   - file: for messages
  ///   - prefix: what stands before all names in the file and is taken off already
  /// - Precondition: no two have the same name.
  public init(_ tensors: [NamedArray], file: String, prefix: String = "") {
    var stripped = ""
    while let wrapper = Self.wrapperPrefixes.first(where: { wrapper in
      !tensors.isEmpty && tensors.allSatisfy { $0.name.hasPrefix(stripped + wrapper) }
    }) {
      stripped += wrapper
    }
    self.file = file
    self.prefix = prefix + stripped
    self.tensors = tensors.map {
      NamedArray(name: String($0.name.dropFirst(stripped.count)), array: $0.array)
    }
    positions = Dictionary(
      self.tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The tensor of a name, if there is one.
  public subscript(name: String) -> NumericArray? { positions[name].map { tensors[$0].array } }

  /// The key of the dictionary inside `value` that holds the parameters; nil when it is `value` itself.
  private static func wrapper(
    in value: CheckpointValue, checkpoint: Checkpoint, path: [String]
  ) throws(DataError) -> String? {
    guard case .dictionary(let entries) = value else { return nil }
    var candidates: [String] = []
    for entry in entries {
      switch entry.value {
      case .tensor: return nil
      case .dictionary where entry.value.holdsTensors: candidates.append(entry.path)
      default: break
      }
    }
    if let explicit = wrappers.prefix(2).first(where: candidates.contains) { return explicit }
    // Optimizers hold tensors too, but never those that are meant.
    candidates.removeAll { $0.lowercased().hasPrefix("optim") }
    let known = candidates.filter(wrappers.contains)
    if known.count == 1 { return known[0] }
    if candidates.count <= 1 { return candidates.first }
    throw DataError(
      .malformed, file: checkpoint.path, item: path.joined(separator: "/"),
      expected: "one dictionary of parameters",
      found: "several: \(candidates.prefix(8).joined(separator: ", "))")
  }
}
