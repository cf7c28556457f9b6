import Base
import Foundation
import TensorCore

/// Writes a safetensors file tensor by tensor, none of which is kept: for more than fits into memory, or what is not
/// known before.
///
/// Room for the header is left at the beginning and filled in the end; what is left of it are spaces, as the format
/// allows. The same tensors under the same announced names give the same bytes.
public final class SafetensorsStream {
  private let path: String
  private let metadata: [String: String]
  private let reserved: Int
  private var entries: [SafetensorsEntry] = []
  private var names: Set<String> = ["__metadata__"]
  private var file: AtomicFile?
  private var length = 0
  /// Whether `file` only collects what goes to a pipe or device in the end, which cannot go back to the header.
  private let isSpooled: Bool

  /// - Parameters:
  ///   - path: the file to write
  ///   - metadata: for `__metadata__`, in the order of their keys
  ///   - names: of all tensors that may come
  /// - Throws: `DataError` of kind `.cannotCreate` or `.writeFailed`.
  public init(path: String, metadata: [String: String] = [:], names: [String]) throws(DataError) {
    self.path = path
    self.metadata = metadata
    // As long as it can get: eight dimensions and two offsets of twenty digits each.
    let longest = names.map { name in
      SafetensorsEntry(
        name: name, elementType: .bfloat16, shape: [Int](repeating: .max, count: 8), range: Int.max..<Int.max)
    }
    reserved = SafetensorsEntry.header(of: longest, metadata: metadata).count
    isSpooled = AtomicFile.writesInPlace(to: path)
    let place = isSpooled ? "\(NSTemporaryDirectory())/dseg-\(UUID().uuidString)" : path
    file = try AtomicFile(path: place)
    try file!.write([UInt8](repeating: UInt8(ascii: " "), count: reserved))
  }

  /// Writes a tensor as 32-bit floats.
  /// - Precondition: the name was announced.
  /// - Throws: `DataError` of kind `.invalidArgument` for a name that was there before, or `.writeFailed`.
  public func append(_ name: String, _ tensor: Tensor) throws(DataError) {
    guard names.insert(name).inserted else {
      throw DataError(.invalidArgument, file: path, item: name, expected: "each name once", found: "it twice")
    }
    let array = NumericArray(tensor)
    let bytes = array.count * array.elementType.size
    try array.write(to: file!)
    entries.append(
      SafetensorsEntry(
        name: name, elementType: array.elementType, shape: array.shape, range: length..<length + bytes))
    length += bytes
  }

  /// Writes the header, and gives the file its name.
  /// - Throws: `DataError` of kind `.cannotCreate` or `.writeFailed`.
  public func finish() throws(DataError) {
    guard let body = file.take() else { preconditionFailure("\(path) is finished") }
    let header = SafetensorsEntry.header(of: entries, metadata: metadata, length: reserved)
    precondition(header.count == reserved, "\(path): tensors that were not announced")
    try body.overwrite(header, at: 0)
    guard isSpooled else { return try body.commit() }
    let output = try AtomicFile(path: path)
    try body.copy(to: output)
    try output.commit()
  }
}
