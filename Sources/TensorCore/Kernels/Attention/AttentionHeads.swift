// q: [N, T, H·D]   k: [N, S, H·D]   v: [N, S, H·E]   H heads; T queries look at S keys

/// Queries, keys or values of all heads, somewhere in the rows of a tensor.
struct AttentionPart {
  /// The first head's first number.
  let base: UnsafePointer<Float>
  let positions: Int
  /// Numbers from position to position.
  let stride: Int
  /// Numbers from head to head.
  let headStride: Int
  /// Numbers of a head.
  let depth: Int

  /// `[positions, depth]` of a head.
  func matrix(sample: Int, head: Int) -> Matrix {
    Matrix(
      base + sample * positions * stride + head * headStride, rows: positions, columns: depth, stride: stride)
  }
}

/// The same, to be written.
struct MutableAttentionPart {
  let base: UnsafeMutablePointer<Float>
  let positions: Int
  let stride: Int
  let headStride: Int
  let depth: Int

  func matrix(sample: Int, head: Int) -> MutableMatrix {
    MutableMatrix(
      base + sample * positions * stride + head * headStride, rows: positions, columns: depth, stride: stride)
  }
}

/// Scaled dot-product attention of several heads, `softmax(q kᵀ / sqrt(D)) v`.
///
/// The weights of a block of queries exist at a time, never all `[T, S]` of them.
struct AttentionHeads {
  let batch: Int
  let heads: Int
  let q: AttentionPart
  let k: AttentionPart
  let v: AttentionPart

  private static let mostQueries = 128
  private var blockSize: Int { min(q.positions, Self.mostQueries) }
  private var scale: Float { 1 / Float(q.depth).squareRoot() }

  func run(into y: MutableAttentionPart) {
    guard q.positions > 0 else { return }
    let blocks = (q.positions + blockSize - 1) / blockSize
    parallelFor(batch * heads * blocks) { item in
      let (block, head, n) = (item % blocks, item / blocks % heads, item / (blocks * heads))
      let queries = block * blockSize..<min(q.positions, (block + 1) * blockSize)
      let (count, keys) = (queries.count, k.positions)
      withScratch(count: count * keys) { weights in
        GEMM.multiply(
          q.matrix(sample: n, head: head).rows(queries), k.matrix(sample: n, head: head).transposed,
          alpha: scale, into: MutableMatrix(weights, rows: count, columns: keys))
        for row in 0..<count { softmaxRow(weights + row * keys, keys) }
        GEMM.multiply(
          Matrix(weights, rows: count, columns: keys), v.matrix(sample: n, head: head),
          into: y.matrix(sample: n, head: head).rows(queries))
      }
    }
  }

  /// Gradients at queries, keys and values from the one at the output. The weights of a block of queries are computed
  /// again.
  ///
  /// With `S = q kᵀ / sqrt(D)`, `P = softmax(S)` and g the gradient at `P v`: `dv = Pᵀ g`, `dP = g vᵀ`,
  /// `dS = P (dP - Σ dP P)`, `dq = dS k / sqrt(D)`, `dk = dSᵀ q / sqrt(D)`.
  func runBackward(
    _ gradient: AttentionPart, into dq: MutableAttentionPart, _ dk: MutableAttentionPart,
    _ dv: MutableAttentionPart
  ) {
    guard q.positions > 0 else { return }
    let keys = k.positions
    // The sums over the queries of a head are taken in order, on one thread.
    parallelFor(batch * heads) { item in
      let (n, head) = (item / heads, item % heads)
      let (q, k, v) = (
        q.matrix(sample: n, head: head), k.matrix(sample: n, head: head), v.matrix(sample: n, head: head)
      )
      let outputs = gradient.matrix(sample: n, head: head)
      withScratch(count: 2 * blockSize * keys) { scratch in
        let (weights, slopes) = (scratch, scratch + blockSize * keys)
        for start in stride(from: 0, to: q.rows, by: blockSize) {
          let queries = start..<min(q.rows, start + blockSize)
          func block(_ base: UnsafeMutablePointer<Float>) -> MutableMatrix {
            MutableMatrix(base, rows: queries.count, columns: keys)
          }
          func read(_ base: UnsafeMutablePointer<Float>) -> Matrix {
            Matrix(base, rows: queries.count, columns: keys)
          }
          GEMM.multiply(q.rows(queries), k.transposed, alpha: scale, into: block(weights))
          GEMM.multiply(outputs.rows(queries), v.transposed, into: block(slopes))
          for row in 0..<queries.count {
            softmaxRow(weights + row * keys, keys)
            softmaxGradientRow(weights + row * keys, slopes + row * keys, slopes + row * keys, keys)
          }
          let beta: Float = start == 0 ? 0 : 1
          GEMM.multiply(
            read(slopes), k, alpha: scale, into: dq.matrix(sample: n, head: head).rows(queries))
          GEMM.multiply(
            read(slopes).transposed, q.rows(queries), alpha: scale, beta: beta,
            into: dk.matrix(sample: n, head: head))
          GEMM.multiply(
            read(weights).transposed, outputs.rows(queries), beta: beta,
            into: dv.matrix(sample: n, head: head))
        }
      }
    }
  }
}
