import CKernels

// v: [tiles, C]   u: [C, K]   m: [tiles, K]; C and K rounded up

/// How the product of one frequency is computed, and so how its weights are stored.
enum WinogradProduct {
  /// By a kernel of our own from weights in panels of columns, `[K / width, C, width]`. Nothing is packed: OpenBLAS
  /// copies both factors into its own order each time, which takes a fifth of its time at these sizes.
  case panels
  /// By OpenBLAS from weights `[C, K]`.
  case blas

  /// The faster one of this processor.
  static let fastest = dseg_has_panel_product() != 0 ? panels : blas

  /// K for so many output channels.
  func columns(outChannels: Int) -> Int {
    let multiple = self == .panels ? Int(dseg_panel_width) : Int(dseg_lanes)
    return (outChannels + multiple - 1) / multiple * multiple
  }

  /// Place of a weight among those of its frequency.
  @inline(__always)
  func place(row: Int, column: Int, rows: Int, columns: Int) -> Int {
    let width = self == .panels ? Int(dseg_panel_width) : columns
    return (column / width * rows + row) * width + column % width
  }

  /// `m = v u`
  func multiply(
    _ v: UnsafePointer<Float>, _ u: UnsafePointer<Float>, into m: UnsafeMutablePointer<Float>, tiles: Int,
    rows: Int, columns: Int
  ) {
    switch self {
    case .panels: dseg_panel_product(v, u, m, tiles, rows, columns)
    case .blas:
      GEMM.multiply(
        Matrix(v, rows: tiles, columns: rows), Matrix(u, rows: rows, columns: columns),
        into: MutableMatrix(m, rows: tiles, columns: columns))
    }
  }
}
