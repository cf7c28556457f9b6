import Base
import Checkpoints
import DiffusionSegmentation
import TensorCore

/// Opening a checkpoint and reading every number in it once.
public struct CheckpointReading: Sendable {
  public let path: String

  public init(path: String) { self.path = path }

  /// The sum of each tensor by name.
  public func callAsFunction() throws(DataError) -> [(name: String, sum: Double)] {
    let state = try StateDictionary(contentsOf: path)
    return state.tensors.map { ($0.name, Self.sum($0.array.tensor())) }
  }

  private static let pieceCount = 1 << 16

  private static func sum(_ tensor: Tensor) -> Double {
    let pieces = (tensor.count + pieceCount - 1) / pieceCount
    var sums = [Double](repeating: 0, count: pieces)
    tensor.withUnsafeBufferPointer { floats in
      sums.withUnsafeMutableBufferPointer { sums in
        // Each piece has a place of its own.
        nonisolated(unsafe) let places = sums
        parallelFor(tensor.count, inBlocksOf: pieceCount) { range in
          places[range.lowerBound / pieceCount] = sum(floats[range])
        }
      }
    }
    return sums.reduce(0, +)
  }

  /// With sixteen sums side by side, which become vector code.
  private static func sum(_ floats: Slice<UnsafeBufferPointer<Float>>) -> Double {
    let whole = floats.count / 16 * 16
    let raw = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: floats))
    var lanes = SIMD16<Float>()
    for start in stride(from: 0, to: whole, by: 16) {
      lanes += raw.loadUnaligned(fromByteOffset: 4 * start, as: SIMD16<Float>.self)
    }
    var total = (0..<16).reduce(0) { $0 + Double(lanes[$1]) }
    for float in floats.dropFirst(whole) { total += Double(float) }
    return total
  }
}
