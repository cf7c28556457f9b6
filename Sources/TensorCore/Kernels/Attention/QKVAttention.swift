// qkv: [N, 3·H·D, T]   y: [N, H·D, T]   H heads of D channels over T positions

/// How the channels of queries, keys and values lie in one tensor.
public enum AttentionOrder: String, Sendable, CaseIterable {
  /// Head by head, each with its q, k and v (`QKVAttentionLegacy` of guided-diffusion).
  case legacy
  /// All q of all heads, then all k, then all v (`QKVAttention`).
  case new
}

/// Scaled dot-product attention of every head over all positions.
///
/// `softmax(qᵀk / sqrt(D))`, with q and k each scaled by `D^(-1/4)` in the reference; the weights of a
/// block of positions exist at a time, never the whole `[T, T]` matrix.
///
/// Source: Vaswani et al. 2017, equation 1; guided-diffusion `unet.py`.
/// - Parameter qkv: `[N, 3·heads·D, T]`
/// - Returns: `[N, heads·D, T]`
public func qkvAttention(_ qkv: Tensor, heads: Int, order: AttentionOrder) -> Tensor {
  precondition(
    qkv.rank == 3 && heads > 0 && qkv.shape[1] % (3 * heads) == 0,
    "attention with \(heads) heads of \(qkv.shape)")
  let (batch, positions) = (qkv.shape[0], qkv.shape[2])
  let depth = qkv.shape[1] / (3 * heads)
  let blockSize = min(positions, 128)
  guard positions > 0 else { return Tensor(zeros: [batch, heads * depth, 0]) }
  let blocks = (positions + blockSize - 1) / blockSize
  return Tensor(shape: [batch, heads * depth, positions]) { y in
    withPointers(qkv) { qkv in
      parallelFor(batch * heads * blocks) { item in
        let block = item % blocks
        let head = item / blocks % heads
        let n = item / (blocks * heads)
        let sample = qkv + n * 3 * heads * depth * positions
        func part(_ index: Int) -> Matrix {
          let channel = order == .legacy ? (3 * head + index) * depth : (index * heads + head) * depth
          return Matrix(sample + channel * positions, rows: depth, columns: positions)
        }
        let queries = block * blockSize..<min(positions, (block + 1) * blockSize)
        withScratch(count: queries.count * positions) { weights in
          GEMM.multiply(
            part(0).columns(queries).transposed, part(1), alpha: 1 / Float(depth).squareRoot(),
            into: MutableMatrix(weights, rows: queries.count, columns: positions))
          for row in 0..<queries.count { softmaxRow(weights + row * positions, positions) }
          let output = MutableMatrix(
            y + (n * heads + head) * depth * positions, rows: depth, columns: positions)
          GEMM.multiply(
            part(2), Matrix(weights, rows: queries.count, columns: positions).transposed,
            into: output.columns(queries))
        }
      }
    }
  }
}
