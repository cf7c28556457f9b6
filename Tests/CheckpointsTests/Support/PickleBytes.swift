/// Pieces of pickles, to be joined with `+`. Each pushes one object unless it says otherwise.
enum Pickle {
  static let mark: [UInt8] = [0x28]
  static let reduce: [UInt8] = [0x52]
  static let emptyList: [UInt8] = [0x5D]
  static let emptyTuple: [UInt8] = [0x29]
  static let emptyDictionary: [UInt8] = [0x7D]
  static let append: [UInt8] = [0x61]
  static let none: [UInt8] = [0x4E]

  /// A whole pickle of protocol 2.
  static func file(_ object: [UInt8]) -> [UInt8] { [0x80, 2] + object + [0x2E] }

  static func string(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = [0x58]
    bytes.append(UInt32(text.utf8.count))
    return bytes + text.utf8
  }

  /// In as few bytes as Python would take.
  static func integer(_ number: Int) -> [UInt8] {
    if 0..<256 ~= number { return [0x4B, UInt8(number)] }
    var bytes: [UInt8] = [0x8A, 8]
    bytes.append(Int64(number))
    return bytes
  }

  static func tuple(_ elements: [[UInt8]]) -> [UInt8] { mark + elements.joined() + [0x74] }
  static func integers(_ numbers: [Int]) -> [UInt8] { tuple(numbers.map(integer)) }
  static func list(_ elements: [[UInt8]]) -> [UInt8] { emptyList + mark + elements.joined() + [0x65] }

  static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    emptyDictionary + mark + items.flatMap { string($0.0) + $0.1 } + [0x75]
  }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + "\(module)\n\(name)\n".utf8
  }

  static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
    global(module, name) + tuple(arguments) + reduce
  }

  static func put(_ place: UInt8) -> [UInt8] { [0x71, place] }
  static func get(_ place: UInt8) -> [UInt8] { [0x68, place] }

  static func storage(_ key: String, _ type: String = "FloatStorage", count: Int, view: [UInt8]? = nil)
    -> [UInt8]
  {
    let fields = [string("storage"), global("torch", type), string(key), string("cpu"), integer(count)]
    return tuple(view.map { fields + [$0] } ?? fields) + [0x51]
  }

  static func tensor(
    _ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int], extra: [[UInt8]] = []
  ) -> [UInt8] {
    let hooks = global("collections", "OrderedDict") + emptyTuple + reduce
    return call(
      "torch._utils", "_rebuild_tensor_v2",
      [storage, integer(offset), integers(shape), integers(strides), [0x89], hooks] + extra)
  }
}

/// Whole files as PyTorch writes them.
enum TorchBytes {
  /// The zip format.
  static func zip(_ object: [UInt8], storages: [String: [UInt8]] = [:], others: [ZipBytes.Entry] = [])
    -> [UInt8]
  {
    var zip = ZipBytes()
    zip.entries = [ZipBytes.Entry("archive/data.pkl", Pickle.file(object), crc: 0)]
    zip.entries += storages.sorted { $0.key < $1.key }.map {
      ZipBytes.Entry("archive/data/\($0.key)", $0.value)
    }
    zip.entries += others
    return zip.bytes
  }

  /// The older stream. `storages` gives the bytes and the number of elements.
  static func legacy(_ object: [UInt8], storages: [(key: String, count: Int, bytes: [UInt8])] = []) -> [UInt8]
  {
    let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    var bytes = Pickle.file(magic) + Pickle.file(Pickle.integer(1001))
    bytes += Pickle.file(Pickle.dictionary([("little_endian", [0x88])]))
    bytes += Pickle.file(object)
    bytes += Pickle.file(Pickle.list(storages.map { Pickle.string($0.key) }))
    for storage in storages {
      bytes.append(Int64(storage.count))
      bytes += storage.bytes
    }
    return bytes
  }
}

extension Pickle {
  /// An object of a class: its arguments, its items if it is derived from a dictionary, and its attributes.
  static func object(
    _ module: String, _ name: String, arguments: [[UInt8]] = [], items: [(String, [UInt8])] = [],
    state: [UInt8]? = nil
  ) -> [UInt8] {
    var bytes = global(module, name) + tuple(arguments) + [0x81]
    if !items.isEmpty { bytes += mark + items.flatMap { string($0.0) + $0.1 } + [0x75] }
    if let state { bytes += state + [0x62] }
    return bytes
  }

  static func bytes(_ bytes: [UInt8]) -> [UInt8] { [0x43, UInt8(bytes.count)] + bytes }
}
