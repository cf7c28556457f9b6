import Base
import TensorCore

/// Collects tensors and writes them as a safetensors file.
///
/// Only references are collected: elements are converted and written piece by piece. The header is
/// padded so that the data begin at a multiple of 64 bytes, and the data are ordered by element size, so
/// that every tensor can be used in place when the file is mapped. The header lists the tensors in the
/// order in which they were added. The same tensors give the same bytes.
public struct SafetensorsWriter: Sendable {
  /// Strings for `__metadata__`, written in the order of their keys.
  public var metadata: [String: String]
  private var items: [Item] = []

  private struct Item {
    var name: String
    var elementType: ElementType
    var content: Content
    /// Where its bytes go, from the end of the header on.
    var offset = 0

    var array: NumericArray {
      switch content {
      case .asIs(let array): array
      case .rounded(let tensor): NumericArray(tensor)
      }
    }
    var byteCount: Int { array.count * elementType.size }
  }

  private enum Content {
    case asIs(NumericArray)
    case rounded(Tensor)
  }

  private static let piece = 1 << 16

  public init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// Adds an array in its own element type.
  public mutating func append(_ name: String, _ array: NumericArray) {
    items.append(Item(name: name, elementType: array.elementType, content: .asIs(array)))
  }

  /// Adds a tensor, rounded to half precision if asked for.
  /// - Precondition: `type` is float32, float16 or bfloat16.
  public mutating func append(_ name: String, _ tensor: Tensor, as type: ElementType = .float32) {
    switch type {
    case .float32: append(name, NumericArray(tensor))
    case .float16, .bfloat16: items.append(Item(name: name, elementType: type, content: .rounded(tensor)))
    default: preconditionFailure("a tensor cannot be written as \(type)")
    }
  }

  /// Writes the file, which appears under its name only when it is complete.
  /// - Throws: `DataError` of kind `.invalidArgument` when two tensors have the same name, otherwise of
  ///   kind `.cannotCreate` or `.writeFailed`.
  public func write(to path: String) throws(DataError) {
    var names: Set<String> = ["__metadata__"]
    for item in items where !names.insert(item.name).inserted {
      throw DataError(
        .invalidArgument, file: path, item: item.name, expected: "each name once", found: "it twice")
    }
    var items = items
    // Stable, so that the order is a function of the tensors alone.
    let order = items.indices.sorted { (-items[$0].elementType.size, $0) < (-items[$1].elementType.size, $1) }
    var offset = 0
    for index in order {
      items[index].offset = offset
      offset += items[index].byteCount
    }
    let file = try AtomicFile(path: path)
    try file.write(header(of: items))
    for index in order { try write(items[index], to: file) }
    try file.commit()
  }

  private func header(of items: [Item]) -> [UInt8] {
    SafetensorsEntry.header(
      of: items.map { item in
        SafetensorsEntry(
          name: item.name, elementType: item.elementType, shape: item.array.shape,
          range: item.offset..<item.offset + item.byteCount)
      }, metadata: metadata)
  }

  private func write(_ item: Item, to file: borrowing AtomicFile) throws(DataError) {
    switch item.content {
    case .asIs(let array): try array.write(to: file)
    case .rounded(let tensor):
      var bits = [UInt16](repeating: 0, count: min(Self.piece, tensor.count))
      for start in stride(from: 0, to: tensor.count, by: Self.piece) {
        let count = min(Self.piece, tensor.count - start)
        tensor.withUnsafeBufferPointer { floats in
          bits.withUnsafeMutableBufferPointer { bits in
            let source = UnsafeBufferPointer(rebasing: floats[start..<start + count])
            let target = UnsafeMutableBufferPointer(rebasing: bits[..<count])
            item.elementType == .float16
              ? Float16Bits.narrow(source, into: target) : BFloat16Bits.narrow(source, into: target)
          }
        }
        let result = bits.withUnsafeBytes { bytes in
          Result { () throws(DataError) in
            try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<(count * 2)]))
          }
        }
        try result.get()
      }
    }
  }
}
