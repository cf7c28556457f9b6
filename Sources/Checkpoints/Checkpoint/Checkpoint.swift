import Base
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

  /// The file, which stays open: digests are of what was read.
  public let file: OpenedFile
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
    try FileSignature.refuseFolder(path)
    try self.init(OpenedFile(path: path))
  }

  /// Reads what an open file holds, but for the numbers.
  /// - Throws: `DataError` as `init(contentsOf:)` does.
  public init(_ opened: OpenedFile) throws(DataError) {
    file = opened
    let file = opened.mapping
    let path = file.path
    format = try FileSignature.format(of: file)
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
      guard let other = positions.updateValue(position, forKey: entry.path) else { continue }
      // Beside the tensors, keys may be written alike that are not: 1 and "1".
      if case .tensor = entry.value, case .tensor = entries[other].value {
        throw DataError(
          .malformed, file: path, item: entry.path, expected: "each path once", found: "it twice")
      }
      if case .tensor = entries[other].value { positions[entry.path] = other }
    }
    self.positions = positions
  }

  /// The path as given.
  public var path: String { file.path }
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
