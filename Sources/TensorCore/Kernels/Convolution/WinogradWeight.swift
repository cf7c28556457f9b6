import CKernels

// weight: [K, C, 3, 3]   u: [size², C, K], both rounded up, packed

/// So many numbers stay in the cache until they are read.
private let cachedWeights = 2 << 20

/// The kernel between every pair of channels transformed, `G g Gᵀ`.
/// - Parameter isPassing: whether the result is for a moment alone. Its memory is then that of others of other sizes before
///   and after it: there may be more numbers than `size² · C · K`.
func winogradWeight<Tile: WinogradTile>(
  _ weight: Tensor, tile: Tile.Type, order: PackedOrder, isPassing: Bool = false
) -> Tensor {
  let (outChannels, inChannels) = (weight.shape[0], weight.shape[1])
  let (inLanes, outLanes) = (wholeLanes(inChannels), winogradColumns(outChannels, order: order))
  let lanes = Int(dseg_lanes)
  func place(_ channel: Int, _ output: Int) -> Int {
    order.place(row: channel, column: output, rows: inLanes, columns: outLanes)
  }
  let count = Tile.size * Tile.size * inLanes * outLanes
  let powerOfTwo = count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
  let streams = count > cachedWeights
  return Tensor(shape: [isPassing ? powerOfTwo : count]) { u in
    withPointers(weight) { weight in
      parallelFor(inLanes / lanes) { block in
        let channel = block * lanes
        for output in stride(from: 0, to: outLanes, by: lanes) {
          // There may be no output left, and nothing to read then.
          let outputs = max(0, min(lanes, outChannels - output))
          Tile.transformKernels(
            dseg_kernels(
              weight: weight + (outputs > 0 ? (output * inChannels + channel) * 9 : 0),
              stride: inChannels * 9, outputs: outputs, channels: min(lanes, inChannels - channel)),
            into: dseg_transformed_kernels(
              u: u + place(channel, output), frequency: inLanes * outLanes,
              channel: place(1, 0) - place(0, 0), streams: streams ? 1 : 0))
        }
      }
    }
  }
}
