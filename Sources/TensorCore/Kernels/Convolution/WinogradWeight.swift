import CKernels

// weight: [K, C, 3, 3]   u: [size², C, K], both rounded up, packed

/// So many numbers stay in the cache until they are read.
private let cachedWeights = 2 << 20

/// The kernel between every pair of channels transformed, `G g Gᵀ`.
/// - Parameters:
///   - outputs: those of the K that are wanted; nil for all
///   - isPassing: whether the result is for a moment alone. Its memory is then that of others of other sizes before and
///     after it: there may be more numbers than `size² · C · K`.
func winogradWeight<Tile: WinogradTile>(
  _ weight: Tensor, outputs: Range<Int>? = nil, tile: Tile.Type, order: PackedOrder, isPassing: Bool = false
) -> Tensor {
  let inChannels = weight.shape[1]
  let outputs = outputs ?? 0..<weight.shape[0]
  let (inLanes, outLanes) = (wholeLanes(inChannels), winogradColumns(outputs.count, order: order))
  let lanes = Int(dseg_lanes)
  func place(_ channel: Int, _ output: Int) -> Int {
    order.place(row: channel, column: output, rows: inLanes, columns: outLanes)
  }
  let count = Tile.size * Tile.size * inLanes * outLanes
  let powerOfTwo = count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
  let streams = count > cachedWeights
  return Tensor(shape: [isPassing ? powerOfTwo : count]) { u in
    withPointers(weight) { weight in
      let weight = weight + outputs.lowerBound * inChannels * 9
      parallelFor(inLanes / lanes) { block in
        let channel = block * lanes
        for output in stride(from: 0, to: outLanes, by: lanes) {
          // There may be no output left, and nothing to read then.
          let some = max(0, min(lanes, outputs.count - output))
          Tile.transformKernels(
            dseg_kernels(
              weight: weight + (some > 0 ? (output * inChannels + channel) * 9 : 0),
              stride: inChannels * 9, outputs: some, channels: min(lanes, inChannels - channel)),
            into: dseg_transformed_kernels(
              u: u + place(channel, output), frequency: inLanes * outLanes,
              channel: place(1, 0) - place(0, 0), streams: streams ? 1 : 0))
        }
      }
    }
  }
}
