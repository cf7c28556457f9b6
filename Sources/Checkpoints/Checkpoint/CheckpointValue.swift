/// What a checkpoint holds: tensors in dictionaries and lists, beside plain values.
public enum CheckpointValue: Sendable {
  case tensor(NumericArray)
  /// In the order of the file. Keys that are numbers in the file are written in decimal.
  case dictionary([CheckpointEntry])
  /// A list or a tuple.
  case list([CheckpointValue])
  case integer(Int)
  case double(Double)
  case string(String)
  case bool(Bool)
  case none
  /// What is no plain value, such as an object of a class: what it is. Nothing was run to make it.
  case opaque(String)

  /// The value of a key, if this is a dictionary that has it.
  public subscript(key key: String) -> CheckpointValue? {
    guard case .dictionary(let entries) = self else { return nil }
    return entries.first { $0.path == key }?.value
  }

  /// How the description of a tensor begins whose numbers cannot be read.
  static let unknownTensor = "a tensor "

  /// Whether it is a tensor, if only one whose numbers cannot be read.
  var isTensor: Bool {
    switch self {
    case .tensor: true
    case .opaque(let what): what.hasPrefix(Self.unknownTensor)
    default: false
    }
  }

  /// Whether there is a tensor in it, at any depth.
  var holdsTensors: Bool {
    switch self {
    case .tensor: true
    case .dictionary(let entries): entries.contains { $0.value.holdsTensors }
    case .list(let values): values.contains { $0.holdsTensors }
    case .integer, .double, .string, .bool, .none, .opaque: false
    }
  }
}

/// A value and where it stands.
public struct CheckpointEntry: Sendable {
  /// The key in a dictionary; in a flat list, all keys and list positions on the way, joined by `/`.
  public let path: String
  public let value: CheckpointValue

  public init(path: String, value: CheckpointValue) {
    self.path = path
    self.value = value
  }
}

extension CheckpointValue {
  /// All values that are neither dictionaries nor lists, in the order of the file.
  /// - Parameter prefix: put before each path, followed by `/` unless empty.
  func flattened(under prefix: String = "") -> [CheckpointEntry] {
    var entries: [CheckpointEntry] = []
    flatten(into: &entries, path: prefix)
    return entries
  }

  // Recursion is safe: readers refuse deep nesting.
  private func flatten(into entries: inout [CheckpointEntry], path: String) {
    func join(_ key: String) -> String { path.isEmpty ? key : "\(path)/\(key)" }
    switch self {
    case .dictionary(let items):
      for item in items { item.value.flatten(into: &entries, path: join(item.path)) }
    case .list(let values):
      for (position, value) in values.enumerated() {
        value.flatten(into: &entries, path: join("\(position)"))
      }
    case .tensor, .integer, .double, .string, .bool, .none, .opaque:
      entries.append(CheckpointEntry(path: path, value: self))
    }
  }
}
