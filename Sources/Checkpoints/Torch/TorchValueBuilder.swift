import Base

/// Turns the objects of a pickle into values, each tensor with its place in the file.
///
/// A pickle may use an object many times, and an object may even hold itself. Values have no such sharing, so their
/// depth, number and the length of their paths are limited here. What holds no tensor is of little interest: where
/// there is too much of it, it is left out (`CheckpointValue.opaque`).
struct TorchValueBuilder {
  enum Limit {
    static let depth = 64
    /// That are tensors or hold some.
    static let values = 1 << 18
    /// All others.
    static let sideValues = 1 << 16
    static let sideDepth = 16
    /// Length of all paths together.
    static let pathBytes = 64 << 20
  }

  let file: String
  /// The entry or part of the file that the objects come from, for errors.
  let pickle: String
  let heap: PickleHeap
  /// The bytes of a storage, all of it or the part that a view means.
  let storage: (PickleStorage) throws(DataError) -> ByteRegion
  let isBigEndian: Bool

  private let holdsTensors: [Bool]
  private var values = 0
  private var sideValues = 0
  private var pathBytes = 0

  init(
    file: String, pickle: String, heap: PickleHeap, isBigEndian: Bool,
    storage: @escaping (PickleStorage) throws(DataError) -> ByteRegion
  ) {
    self.file = file
    self.pickle = pickle
    self.heap = heap
    self.isBigEndian = isBigEndian
    self.storage = storage
    holdsTensors = heap.holdsTensors()
  }

  /// - Throws: `DataError` naming the path of the value that cannot be, or when the whole is no plain value.
  mutating func value(_ root: PickleReference) throws(DataError) -> CheckpointValue {
    let value = try value(root, path: [])
    guard case .opaque(let name) = value else { return value }
    let found =
      switch heap[root] {
      case .list, .tuple, .dictionary: "\(heap[root].kind) of \(heap[root].size) values without a tensor"
      default: "\(name), which only running its code would make; save the state_dict() of the network instead"
      }
    throw DataError(
      .unsupported, file: file, item: pickle,
      expected: "nothing but tensors, containers, strings and numbers",
      found: found)
  }

  private mutating func value(
    _ reference: PickleReference, path: [String]
  ) throws(DataError) -> CheckpointValue {
    let object = heap[reference]
    let ownBytes = path.reduce(0) { $0 + $1.utf8.count + 1 }
    pathBytes += ownBytes
    if holdsTensors[reference.position] {
      values += 1
      guard path.count <= Limit.depth, values <= Limit.values, pathBytes <= Limit.pathBytes else {
        throw DataError(
          .unsupported, file: file, item: path.prefix(4).joined(separator: "/"),
          expected: "at most \(Limit.values) values nested at most \(Limit.depth) deep",
          found: "\(values) values, \(path.count) deep")
      }
    } else {
      sideValues += 1
      // What is in it has this path before its own name.
      guard path.count <= Limit.sideDepth, sideValues + object.size <= Limit.sideValues,
        pathBytes + object.size * ownBytes <= Limit.pathBytes
      else { return .opaque("\(object.kind), left out") }
    }
    switch object {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .double(let value): return .double(value)
    case .string(let value): return .string(value)
    case .tensor(let tensor): return .tensor(try array(tensor, item: path.joined(separator: "/")))
    case .tuple(let elements), .list(let elements): return try list(elements, path: path)
    case .dictionary(let dictionary): return try self.dictionary(dictionary, path: path)
    case .instance(let instance):
      if let module = try parameters(of: instance, path: path) { return module }
      if let dictionary = instance.dictionary { return try self.dictionary(dictionary, path: path) }
      if !instance.list.isEmpty { return try list(instance.list, path: path) }
      // Attributes of an object may be a network's weights under any name.
      if holdsTensors[reference.position], let state = instance.state { return try value(state, path: path) }
      return .opaque(instance.name)
    case .global(.unknown(let name)): return .opaque(name)
    case .wideInteger, .global, .storage: return .opaque(object.kind)
    }
  }

  private mutating func list(
    _ elements: [PickleReference], path: [String]
  ) throws(DataError) -> CheckpointValue {
    var list: [CheckpointValue] = []
    for (position, element) in elements.enumerated() {
      list.append(try value(element, path: path + ["\(position)"]))
    }
    return .list(list)
  }

  private mutating func dictionary(
    _ dictionary: PickleDictionary, path: [String]
  ) throws(DataError) -> CheckpointValue {
    var entries: [CheckpointEntry] = []
    for (key, element) in dictionary.items {
      entries.append(CheckpointEntry(path: key.text, value: try value(element, path: path + [key.text])))
    }
    return .dictionary(entries)
  }

  // MARK: Whole networks

  /// The parameters and buffers of a network that was saved as a whole, under the names that its state dictionary
  /// would give them; nil for any other object. Source: PyTorch, `torch/nn/modules/module.py`, `state_dict`.
  private mutating func parameters(
    of instance: PickleInstance, path: [String]
  ) throws(DataError) -> CheckpointValue? {
    guard isModule(instance) else { return nil }
    var entries: [CheckpointEntry] = []
    try collect(instance, name: [], path: path, into: &entries)
    return .dictionary(entries)
  }

  private func isModule(_ instance: PickleInstance) -> Bool {
    attribute("_parameters", of: instance) != nil && attribute("_modules", of: instance) != nil
  }

  private func attribute(_ name: String, of instance: PickleInstance) -> PickleDictionary? {
    guard let state = instance.state, case .dictionary(let attributes) = heap[state],
      let reference = attributes[.string(name)]
    else { return nil }
    switch heap[reference] {
    case .dictionary(let found): return found
    case .instance(let found): return found.dictionary
    default: return nil
    }
  }

  private mutating func collect(
    _ instance: PickleInstance, name: [String], path: [String], into entries: inout [CheckpointEntry]
  ) throws(DataError) {
    for kind in ["_parameters", "_buffers"] {
      for (key, reference) in attribute(kind, of: instance)?.items ?? [] {
        guard case .tensor = heap[reference] else { continue }
        let full = (name + [key.text]).joined(separator: ".")
        entries.append(CheckpointEntry(path: full, value: try value(reference, path: path + [full])))
      }
    }
    for (key, reference) in attribute("_modules", of: instance)?.items ?? [] {
      guard case .instance(let part) = heap[reference], holdsTensors[reference.position] else { continue }
      values += 1
      guard name.count < Limit.depth, values <= Limit.values else {
        throw DataError(
          .unsupported, file: file, item: name.prefix(4).joined(separator: "."),
          expected: "modules nested at most \(Limit.depth) deep", found: "deeper ones")
      }
      try collect(part, name: name + [key.text], path: path, into: &entries)
    }
  }

  private func array(_ tensor: PickleTensor, item: String) throws(DataError) -> NumericArray {
    try NumericArray(
      tensor.elementType, shape: tensor.shape, strides: tensor.strides, offset: tensor.offset,
      isBigEndian: isBigEndian, in: storage(tensor.storage), source: (file, item))
  }
}

extension PickleObject {
  /// How many values it would directly hold.
  fileprivate var size: Int {
    switch self {
    case .tuple(let elements), .list(let elements): elements.count
    case .dictionary(let dictionary): dictionary.items.count
    case .instance(let instance): (instance.dictionary?.items.count ?? 0) + instance.list.count
    default: 0
    }
  }
}

extension PickleStorage {
  /// The bytes that the storage, or the view, means, given all that the file has under its key.
  /// - Throws: `DataError` where the file has fewer than the pickle says.
  func bytes(in available: ByteRegion, file: String) throws(DataError) -> ByteRegion {
    let size = elementType.size
    guard count <= available.count / size,
      let bytes = available.slice(
        offset: (view?.lowerBound ?? 0) * size, count: (view?.count ?? count) * size)
    else {
      throw DataError(
        .malformed, file: file, item: "storage \(key)", expected: "\(count) elements of \(elementType)",
        found: "\(available.count) bytes")
    }
    return bytes
  }
}
