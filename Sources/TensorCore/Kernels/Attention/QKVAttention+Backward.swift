// qkv: [N, T, 3·H·D]   gradient: at y, [N, T, H·D]   P: weights of a block of queries, [block, T]

/// Gradient of `qkvAttention` with respect to `qkv`. The weights of a block of positions are computed again.
///
/// With `S = q kᵀ / sqrt(D)`, `P = softmax(S)` and g the gradient at `P v`: `dv = Pᵀ g`, `dP = g vᵀ`,
/// `dS = P (dP - Σ dP P)`, `dq = dS k / sqrt(D)`, `dk = dSᵀ q / sqrt(D)`.
/// - Parameters:
///   - gradient: `[N, T, heads·D]`
///   - qkv: as given to `qkvAttention`, `[N, T, 3·heads·D]`
///   - heads: number of heads
///   - order: how the channels of `qkv` lie
public func qkvAttentionBackward(
  _ gradient: Tensor, qkv: Tensor, heads: Int, order: AttentionOrder
) -> Tensor {
  precondition(
    qkv.rank == 3 && heads > 0 && qkv.shape[2] % (3 * heads) == 0
      && gradient.shape == [qkv.shape[0], qkv.shape[1], qkv.shape[2] / 3],
    "gradient \(gradient.shape) of attention with \(heads) heads of \(qkv.shape)")
  let (batch, positions) = (qkv.shape[0], qkv.shape[1])
  let depth = qkv.shape[2] / (3 * heads)
  let blockSize = min(positions, 128)
  guard positions > 0 else { return Tensor(zeros: qkv.shape) }
  let scale = 1 / Float(depth).squareRoot()
  return Tensor(shape: qkv.shape) { result in
    withPointers(qkv, gradient) { qkv, gradient in
      // The sums over the queries of a head are taken in order, on one thread.
      parallelFor(batch * heads) { item in
        let (n, head) = (item / heads, item % heads)
        let sample = n * positions * 3 * heads * depth
        func channel(_ index: Int) -> Int {
          order == .legacy ? (3 * head + index) * depth : (index * heads + head) * depth
        }
        func part(_ index: Int) -> Matrix {
          Matrix(qkv + sample + channel(index), rows: positions, columns: depth, stride: 3 * heads * depth)
        }
        func target(_ index: Int) -> MutableMatrix {
          MutableMatrix(
            result + sample + channel(index), rows: positions, columns: depth, stride: 3 * heads * depth)
        }
        let outputs = Matrix(
          gradient + n * positions * heads * depth + head * depth, rows: positions, columns: depth,
          stride: heads * depth)
        withScratch(count: 2 * blockSize * positions) { scratch in
          for start in stride(from: 0, to: positions, by: blockSize) {
            let queries = start..<min(positions, start + blockSize)
            let (weights, slopes) = (scratch, scratch + blockSize * positions)
            func block(_ base: UnsafeMutablePointer<Float>) -> MutableMatrix {
              MutableMatrix(base, rows: queries.count, columns: positions)
            }
            func read(_ base: UnsafeMutablePointer<Float>) -> Matrix {
              Matrix(base, rows: queries.count, columns: positions)
            }
            GEMM.multiply(part(0).rows(queries), part(1).transposed, alpha: scale, into: block(weights))
            GEMM.multiply(outputs.rows(queries), part(2).transposed, into: block(slopes))
            for row in 0..<queries.count {
              softmaxRow(weights + row * positions, positions)
              softmaxGradientRow(
                weights + row * positions, slopes + row * positions, slopes + row * positions, positions)
            }
            let beta: Float = start == 0 ? 0 : 1
            GEMM.multiply(read(slopes), part(1), alpha: scale, into: target(0).rows(queries))
            GEMM.multiply(
              read(slopes).transposed, part(0).rows(queries), alpha: scale, beta: beta, into: target(1))
            GEMM.multiply(read(weights).transposed, outputs.rows(queries), beta: beta, into: target(2))
          }
        }
      }
    }
  }
}
