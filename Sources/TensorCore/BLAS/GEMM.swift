/// General matrix products over `BLAS.multiply`.
package enum GEMM {
  /// `c = alpha · a · b + beta · c` on the calling thread.
  ///
  /// `a` is `[m, k]`, `b` is `[k, n]`, `c` is `[m, n]`.
  package static func multiply(
    _ a: Matrix, _ b: Matrix, alpha: Float = 1, beta: Float = 0, into c: MutableMatrix
  ) {
    precondition(
      a.columns == b.rows && a.rows == c.rows && b.columns == c.columns,
      "[\(a.rows), \(a.columns)] times [\(b.rows), \(b.columns)] into [\(c.rows), \(c.columns)]")
    guard c.rows > 0, c.columns > 0 else { return }
    guard a.columns > 0 else { return scale(c, by: beta) }
    BLAS.multiply(a, b, alpha: alpha, beta: beta, into: c)
  }

  /// The same product cut into blocks that run on all threads. The blocks depend on the shape alone.
  package static func parallelMultiply(
    _ a: Matrix, _ b: Matrix, alpha: Float = 1, beta: Float = 0, into c: MutableMatrix
  ) {
    let (m, n) = (c.rows, c.columns)
    if n >= m {
      parallelFor(n, inBlocksOf: blockSize(n)) { columns in
        multiply(a, b.columns(columns), alpha: alpha, beta: beta, into: c.columns(columns))
      }
    } else {
      parallelFor(m, inBlocksOf: blockSize(m)) { rows in
        multiply(a.rows(rows), b, alpha: alpha, beta: beta, into: c.rows(rows))
      }
    }
  }

  /// Up to eight blocks, each wide enough that packing the shared operand again costs little.
  private static func blockSize(_ length: Int) -> Int {
    let eighth = (length + 7) / 8
    return max(64, (eighth + 15) & ~15)
  }

  private static func scale(_ c: MutableMatrix, by beta: Float) {
    for row in 0..<c.rows {
      let line = c.base + row * c.stride
      for column in 0..<c.columns { line[column] = beta == 0 ? 0 : line[column] * beta }
    }
  }
}
