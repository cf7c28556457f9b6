// qkv: [N, T, 3·H·D]   y: [N, T, H·D]   H heads of D channels over T positions

/// How the channels of queries, keys and values lie in one tensor.
public enum AttentionOrder: String, Sendable, CaseIterable {
  /// Head by head, each with its q, k and v (`QKVAttentionLegacy` of guided-diffusion).
  case legacy
  /// All q of all heads, then all k, then all v (`QKVAttention`).
  case new
}

/// Scaled dot-product attention of every head over all positions.
///
/// `softmax(q kᵀ / sqrt(D)) v`, with q and k each scaled by `D^(-1/4)` in the reference; the weights of a
/// block of positions exist at a time, never the whole `[T, T]` matrix.
///
/// Source: Vaswani et al. 2017, equation 1; guided-diffusion `unet.py`.
/// - Parameters:
///   - qkv: `[N, T, 3·heads·D]`
///   - heads: number of heads; 3·heads divides the channels of `qkv`
///   - order: how the channels of `qkv` lie
/// - Returns: `[N, T, heads·D]`
public func qkvAttention(_ qkv: Tensor, heads: Int, order: AttentionOrder) -> Tensor {
  precondition(
    qkv.rank == 3 && heads > 0 && qkv.shape[2] % (3 * heads) == 0,
    "attention with \(heads) heads of \(qkv.shape)")
  let (batch, positions) = (qkv.shape[0], qkv.shape[1])
  let depth = qkv.shape[2] / (3 * heads)
  let blockSize = min(positions, 128)
  guard positions > 0 else { return Tensor(zeros: [batch, 0, heads * depth]) }
  let blocks = (positions + blockSize - 1) / blockSize
  return Tensor(shape: [batch, positions, heads * depth]) { y in
    withPointers(qkv) { qkv in
      parallelFor(batch * heads * blocks) { item in
        let block = item % blocks
        let head = item / blocks % heads
        let n = item / (blocks * heads)
        let sample = qkv + n * positions * 3 * heads * depth
        func part(_ index: Int) -> Matrix {
          let channel = order == .legacy ? (3 * head + index) * depth : (index * heads + head) * depth
          return Matrix(sample + channel, rows: positions, columns: depth, stride: 3 * heads * depth)
        }
        let queries = block * blockSize..<min(positions, (block + 1) * blockSize)
        withScratch(count: queries.count * positions) { weights in
          GEMM.multiply(
            part(0).rows(queries), part(1).transposed, alpha: 1 / Float(depth).squareRoot(),
            into: MutableMatrix(weights, rows: queries.count, columns: positions))
          for row in 0..<queries.count { softmaxRow(weights + row * positions, positions) }
          let output = MutableMatrix(
            y + n * positions * heads * depth + head * depth, rows: positions, columns: depth,
            stride: heads * depth)
          GEMM.multiply(
            Matrix(weights, rows: queries.count, columns: positions), part(2), into: output.rows(queries))
        }
      }
    }
  }
}
