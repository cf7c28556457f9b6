import Foundation
import TensorCore

/// How the numbers of a feature map are kept.
public enum FeaturePrecision: String, Sendable, CaseIterable {
  /// 32-bit floats.
  case float
  /// IEEE 754 binary16, half the memory: what is kept of a number is its difference from the mean of its
  /// channel, so that channels that vary little around a large mean lose nothing by it. A map in which a
  /// difference is beyond the range of halves is kept as floats.
  case half
}

/// The memory of one feature map, `[pixels, channels]`: written by its maker, then never again.
final class FeatureStorage: @unchecked Sendable {
  // @unchecked: nothing is written once `init` has returned.

  /// The numbers, valid while the storage lives.
  enum Numbers {
    case floats(UnsafePointer<Float>)
    /// Finite halves, and for each channel a float that belongs to every one of its halves: the number is
    /// their sum.
    case halves(UnsafePointer<UInt16>, offsets: UnsafePointer<Float>)
  }

  let numbers: Numbers
  let byteCount: Int
  private let base: UnsafeMutableRawPointer

  /// A copy of `[pixels, channels]`.
  init(copying vectors: UnsafePointer<Float>, pixels: Int, channels: Int) {
    let count = pixels * channels
    byteCount = count * 4
    base = Allocation.allocate(bytes: max(byteCount, 1), alignment: 64)
    let floats = base.bindMemory(to: Float.self, capacity: count)
    numbers = .floats(floats)
    parallelFor(count, inBlocksOf: elementwiseBlock) { range in
      (floats + range.lowerBound).update(from: vectors + range.lowerBound, count: range.count)
    }
  }

  /// `[pixels, channels]` as halves, or nil where one of them would not be finite.
  init?(narrowing vectors: UnsafePointer<Float>, pixels: Int, channels: Int) {
    // The offsets first: they need the stricter alignment.
    byteCount = channels * 4 + pixels * channels * 2
    base = Allocation.allocate(bytes: max(byteCount, 1), alignment: 64)
    let offsets = base.bindMemory(to: Float.self, capacity: channels)
    let halves = (base + channels * 4).bindMemory(to: UInt16.self, capacity: pixels * channels)
    numbers = .halves(halves, offsets: offsets)
    channelMeans(vectors, pixels: pixels, channels: channels, into: offsets)
    // One place a block, so that threads need no lock.
    var areFinite = [Bool](repeating: false, count: (pixels + pixelBlock - 1) / pixelBlock)
    areFinite.withUnsafeMutableBufferPointer { areFinite in
      let areFinite = areFinite.baseAddress!
      parallelFor(pixels, inBlocksOf: pixelBlock) { range in
        var largest: UInt16 = 0
        for pixel in range {
          let target = halves + pixel * channels
          narrow(vectors + pixel * channels, less: offsets, count: channels, into: target)
          largest = max(largest, largestMagnitude(target, count: channels))
        }
        areFinite[range.lowerBound / pixelBlock] = largest < 0x7C00
      }
    }
    guard areFinite.allSatisfy({ $0 }) else { return nil }
  }

  deinit { free(base) }
}

/// Pixels of a map that one thread takes at a time.
private let pixelBlock = 256

/// Mean of each channel, `[channels]`. Pixels are summed block by block and the blocks one after the other,
/// so that the bits do not depend on the number of threads.
private func channelMeans(
  _ vectors: UnsafePointer<Float>, pixels: Int, channels: Int, into means: UnsafeMutablePointer<Float>
) {
  let blocks = (pixels + pixelBlock - 1) / pixelBlock
  withScratch(count: blocks * channels) { sums in
    parallelFor(pixels, inBlocksOf: pixelBlock) { range in
      let sum = sums + range.lowerBound / pixelBlock * channels
      sum.update(from: vectors + range.lowerBound * channels, count: channels)
      for pixel in range.dropFirst() {
        let vector = vectors + pixel * channels
        for c in 0..<channels { sum[c] += vector[c] }
      }
    }
    for c in 0..<channels {
      var total = 0.0
      for block in 0..<blocks { total += Double(sums[block &* channels &+ c]) }
      means[c] = Float(total / Double(pixels))
    }
  }
}

private func narrow(
  _ vector: UnsafePointer<Float>, less offsets: UnsafePointer<Float>, count: Int,
  into halves: UnsafeMutablePointer<UInt16>
) {
  for c in 0..<count { halves[c] = Float16Bits.narrow(vector[c] - offsets[c]) }
}

private func largestMagnitude(_ halves: UnsafePointer<UInt16>, count: Int) -> UInt16 {
  var largest: UInt16 = 0
  for c in 0..<count { largest = max(largest, halves[c] & 0x7FFF) }
  return largest
}
