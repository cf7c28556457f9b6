import TensorCore

/// Turns the objects of a pickle into values, each tensor with its place in the file.
///
/// A pickle may use an object many times, and an object may even hold itself. Values have no such
/// sharing, so their depth, number and the length of their paths are limited here.
struct TorchValueBuilder {
  enum Limit {
    static let depth = 64
    static let values = 1 << 20
    /// Of all paths together.
    static let pathBytes = 256 << 20
  }

  let file: String
  let heap: PickleHeap
  /// The bytes of a storage, all of it or the part that a view means.
  let storage: (PickleStorage) throws(DataError) -> ByteRegion
  let isBigEndian: Bool

  private var values = 0
  private var pathBytes = 0

  init(
    file: String, heap: PickleHeap, isBigEndian: Bool,
    storage: @escaping (PickleStorage) throws(DataError) -> ByteRegion
  ) {
    self.file = file
    self.heap = heap
    self.isBigEndian = isBigEndian
    self.storage = storage
  }

  /// - Throws: `DataError` naming the path of the value that cannot be.
  mutating func value(_ reference: PickleReference) throws(DataError) -> CheckpointValue {
    try value(reference, path: [])
  }

  private mutating func value(
    _ reference: PickleReference, path: [String]
  ) throws(DataError) -> CheckpointValue {
    values += 1
    pathBytes += path.reduce(0) { $0 + $1.utf8.count + 1 }
    guard path.count <= Limit.depth, values <= Limit.values, pathBytes <= Limit.pathBytes else {
      throw DataError(
        .unsupported, file: file, item: path.prefix(4).joined(separator: "/"),
        expected: "at most \(Limit.values) values nested at most \(Limit.depth) deep",
        found: "\(values) values, \(path.count) deep")
    }
    switch heap[reference] {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .double(let value): return .double(value)
    case .string(let value): return .string(value)
    case .tensor(let tensor): return .tensor(try array(tensor, item: path.joined(separator: "/")))
    case .tuple(let elements), .list(let elements):
      var list: [CheckpointValue] = []
      for (position, element) in elements.enumerated() {
        list.append(try value(element, path: path + ["\(position)"]))
      }
      return .list(list)
    case .dictionary(let dictionary):
      var entries: [CheckpointEntry] = []
      for (key, element) in dictionary.items {
        entries.append(CheckpointEntry(path: key.text, value: try value(element, path: path + [key.text])))
      }
      return .dictionary(entries)
    case .wideInteger, .global, .storage:
      throw DataError(
        .unsupported, file: file, item: path.joined(separator: "/"), expected: "a tensor or a plain value",
        found: heap[reference].kind)
    }
  }

  private func array(_ tensor: PickleTensor, item: String) throws(DataError) -> NumericArray {
    try NumericArray(
      tensor.elementType, shape: tensor.shape, strides: tensor.strides, offset: tensor.offset,
      isBigEndian: isBigEndian, in: storage(tensor.storage), source: (file, item))
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
