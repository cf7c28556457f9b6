// weight: [K, C, 3, 3]   u: [size², C, K], both rounded up, packed

/// Sixteen outputs, which fill a line of the cache.
private typealias Outputs = SIMD16<Float>

/// Inputs that are transformed together: their kernels lie side by side in the weight.
private let inputBlock = 8

/// The kernel between every pair of channels transformed, `G g Gᵀ`.
func winogradWeight<Tile: WinogradTile>(
  _ weight: Tensor, tile: Tile.Type, order: PackedOrder
) -> Tensor {
  let (outChannels, inChannels) = (weight.shape[0], weight.shape[1])
  let (inLanes, outLanes) = (wholeLanes(inChannels), winogradColumns(outChannels, order: order))
  return Tensor(shape: [Tile.size * Tile.size, inLanes, outLanes]) { u in
    withPointers(weight) { weight in
      parallelFor(inLanes, inBlocksOf: inputBlock) { channels in
        withUnsafeTemporaryAllocation(of: Outputs.self, capacity: 9 + 3 * Tile.size) { scratch in
          let kernel = scratch.baseAddress!
          let lines = kernel + 9
          for first in stride(from: 0, to: outLanes, by: Outputs.scalarCount) {
            let count = max(0, min(Outputs.scalarCount, outChannels - first))
            for c in channels {
              for tap in 0..<9 {
                var value = Outputs()
                if c < inChannels {
                  for lane in 0..<count {
                    value[lane] = weight[((first + lane) * inChannels + c) * 9 + tap]
                  }
                }
                kernel[tap] = value
              }
              for column in 0..<3 {
                Tile.transformKernel({ kernel[$0 * 3 + column] }, { lines[$0 * 3 + column] = $1 })
              }
              let place = order.place(row: c, column: first, rows: inLanes, columns: outLanes)
              for row in 0..<Tile.size {
                Tile.transformKernel(
                  { lines[row * 3 + $0] },
                  { column, value in
                    let frequency = u + (row * Tile.size + column) * inLanes * outLanes
                    UnsafeMutableRawPointer(frequency + place).storeBytes(of: value, as: Outputs.self)
                  })
              }
            }
          }
        }
      }
    }
  }
}
