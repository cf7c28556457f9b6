import TensorCore

/// A checkpoint file of any of the formats that are read: PyTorch's zip archives and older streams
/// (`.pt`, `.pth`) and safetensors.
///
/// Opening reads names, types and shapes; the numbers stay in the mapped file until a tensor is asked
/// for. Float32 tensors that lie there in order are never copied at all.
public struct Checkpoint: Sendable {
  public enum Format: String, Sendable {
    case torchZip = "PyTorch"
    case torchLegacy = "PyTorch (before 1.6)"
    case safetensors
  }

  public let path: String
  public let format: Format
  /// All of it, nested as in the file.
  public let root: CheckpointValue
  /// All tensors and plain values in the order of the file. Each path is there once.
  public let entries: [CheckpointEntry]
  /// The strings that a safetensors file carries beside its tensors.
  public let metadata: [String: String]
  private let positions: [String: Int]

  /// Opens a file and reads what it holds, but for the numbers. The format is told by the content.
  /// - Throws: `DataError` when there is no such file, it is of another format, it is damaged, or it
  ///   asks for anything but data (a pickle that would run code, for instance).
  public init(contentsOf path: String) throws(DataError) {
    let file = try MappedFile(path: path)
    self.path = path
    format = try Self.format(of: file)
    switch format {
    case .torchZip:
      root = try TorchZipFile.read(file)
      metadata = [:]
    case .torchLegacy:
      root = try TorchLegacyFile.read(file)
      metadata = [:]
    case .safetensors:
      let content = try SafetensorsFile(file)
      root = .dictionary(content.tensors.map { CheckpointEntry(path: $0.name, value: .tensor($0.array)) })
      metadata = content.metadata
    }
    entries = root.flattened()
    var positions: [String: Int] = [:]
    for (position, entry) in entries.enumerated() {
      guard positions.updateValue(position, forKey: entry.path) == nil else {
        throw DataError(
          .malformed, file: path, item: entry.path, expected: "each path once", found: "it twice")
      }
    }
    self.positions = positions
  }

  private static func format(of file: MappedFile) throws(DataError) -> Format {
    let bytes = file.bytes
    if bytes.isEmpty {
      throw DataError(.malformed, file: file.path, expected: "a checkpoint", found: "an empty file")
    }
    if file.path.hasSuffix(".safetensors") { return .safetensors }
    if bytes.starts(with: Array("PK".utf8)) { return .torchZip }
    // The instruction that begins every pickle of protocol 2 or later.
    if bytes[0] == PickleOpcode.protocol.rawValue { return .torchLegacy }
    if bytes.count > SafetensorsFile.lengthSize, bytes[SafetensorsFile.lengthSize] == UInt8(ascii: "{") {
      return .safetensors
    }
    throw DataError(
      .malformed, file: file.path, expected: "a PyTorch (.pt, .pth) or safetensors file",
      found: "a file of another format")
  }
}

extension Checkpoint {
  /// All tensors, under their paths, in the order of the file.
  public var tensors: [NamedArray] {
    entries.compactMap { entry in
      guard case .tensor(let array) = entry.value else { return nil }
      return NamedArray(name: entry.path, array: array)
    }
  }

  /// The tensor or plain value at a path, if there is one.
  public subscript(path: String) -> CheckpointValue? {
    positions[path].map { entries[$0].value }
  }

  /// A tensor with its element type, for exact access to integers and doubles.
  /// - Throws: `DataError` when there is none at this path.
  public func array(named path: String) throws(DataError) -> NumericArray {
    guard case .tensor(let array) = self[path] else {
      throw DataError(
        .malformed, file: self.path, item: path, expected: "a tensor",
        found: self[path] == nil ? "no entry of that name" : "a plain value")
    }
    return array
  }

  /// A tensor as float32.
  /// - Throws: `DataError` when there is none at this path.
  public func tensor(named path: String) throws(DataError) -> Tensor {
    try array(named: path).tensor()
  }
}
