import Base

/// PyTorch's file format before version 1.6: a stream of pickles (magic number, protocol, system, the
/// objects, the keys of the storages) and then, for each key, the number of elements and the elements.
/// Source: PyTorch, `torch/serialization.py`, `_legacy_save`.
enum TorchLegacyFile {
  /// 0x1950a86a20f9469cfc6c, little-endian.
  private static let magicNumber: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
  private static let protocolVersion = 1001

  /// - Throws: `DataError`.
  static func read(_ file: MappedFile) throws(DataError) -> CheckpointValue {
    let region = ByteRegion(file)
    return try region.withBytes { (bytes) throws(DataError) in
      var reader = ByteReader(bytes)
      let magic = try run(&reader, file: file.path, item: "magic number")
      guard case .wideInteger(magicNumber) = magic else {
        throw malformed(
          file, item: "magic number", expected: "that of a PyTorch file",
          found: "a pickle of another program: \(magic.kind)")
      }
      let version = try run(&reader, file: file.path, item: "protocol version")
      guard case .integer(protocolVersion) = version else {
        throw malformed(file, item: "protocol version", expected: "\(protocolVersion)", found: "\(version)")
      }
      let isBigEndian = try isBigEndian(&reader, file)

      var machine = PickleMachine(reader, file: file.path, item: "objects")
      let root = try machine.run()
      reader = machine.reader
      let keys = try storageKeys(&reader, file)
      let elementTypes = try elementTypes(of: machine.heap, file)
      var storages: [String: ByteRegion] = [:]
      for key in keys {
        guard let size = elementTypes[key]?.size ?? machine.otherStorages[key] else {
          throw malformed(file, item: "storage \(key)", expected: "a tensor that uses it", found: "none")
        }
        guard let count = reader.read(Int64.self), count >= 0, count <= reader.remaining / size,
          let bytes = region.slice(offset: reader.position, count: Int(count) * size),
          reader.skip(count: bytes.count)
        else {
          throw malformed(
            file, item: "storage \(key)", expected: "all its elements",
            found: "\(reader.remaining) bytes to the end of the file")
        }
        guard storages.updateValue(bytes, forKey: key) == nil else {
          throw malformed(file, item: "storage \(key)", expected: "it once", found: "it twice")
        }
      }
      var builder = TorchValueBuilder(
        file: file.path, pickle: "objects", heap: machine.heap, isBigEndian: isBigEndian
      ) { (storage) throws(DataError) in
        guard let bytes = storages[storage.key] else {
          throw malformed(file, item: "storage \(storage.key)", expected: "its bytes", found: "none")
        }
        return try storage.bytes(in: bytes, file: file.path)
      }
      return try builder.value(root)
    }
  }

  /// Runs a pickle that holds a plain value.
  private static func run(_ reader: inout ByteReader, file: String, item: String) throws(DataError)
    -> PickleObject
  {
    var machine = PickleMachine(reader, file: file, item: item)
    let result = try machine.run()
    reader = machine.reader
    return machine.heap[result]
  }

  private static func isBigEndian(_ reader: inout ByteReader, _ file: MappedFile) throws(DataError) -> Bool {
    var machine = PickleMachine(reader, file: file.path, item: "system")
    let result = try machine.run()
    reader = machine.reader
    guard case .dictionary(let system) = machine.heap[result] else {
      throw malformed(file, item: "system", expected: "a dictionary", found: machine.heap[result].kind)
    }
    guard let reference = system[.string("little_endian")] else { return false }
    guard case .bool(let isLittleEndian) = machine.heap[reference] else {
      throw malformed(file, item: "system", expected: "the byte order", found: machine.heap[reference].kind)
    }
    return !isLittleEndian
  }

  private static func storageKeys(_ reader: inout ByteReader, _ file: MappedFile) throws(DataError)
    -> [String]
  {
    var machine = PickleMachine(reader, file: file.path, item: "storage keys")
    let result = try machine.run()
    reader = machine.reader
    guard case .list(let references) = machine.heap[result] else {
      throw malformed(file, item: "storage keys", expected: "a list", found: machine.heap[result].kind)
    }
    var keys: [String] = []
    for reference in references {
      guard case .string(let key) = machine.heap[reference] else {
        throw malformed(file, item: "storage keys", expected: "a string", found: machine.heap[reference].kind)
      }
      keys.append(key)
    }
    return keys
  }

  /// The element type of each storage. The stream does not repeat it, so it must be the same wherever
  /// the storage is used.
  private static func elementTypes(
    of heap: PickleHeap, _ file: MappedFile
  ) throws(DataError) -> [String: ElementType] {
    var types: [String: ElementType] = [:]
    for object in heap.objects {
      guard case .storage(let storage) = object else { continue }
      if let other = types.updateValue(storage.elementType, forKey: storage.key), other != storage.elementType
      {
        throw malformed(
          file, item: "storage \(storage.key)", expected: "one element type",
          found: "\(other) and \(storage.elementType)")
      }
    }
    return types
  }

  private static func malformed(_ file: MappedFile, item: String, expected: String, found: String)
    -> DataError
  {
    DataError(.malformed, file: file.path, item: item, expected: expected, found: found)
  }
}
