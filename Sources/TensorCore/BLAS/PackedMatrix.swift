import CKernels

/// The order in which the right factor of many products is stored.
enum PackedOrder {
  /// In panels of columns, `[columns / width, rows, width]`, for a kernel of our own. OpenBLAS copies both factors into
  /// its own order each time, which takes a fifth of its time at the sizes of convolutions.
  case panels
  /// Row by row, for OpenBLAS.
  case rowMajor

  /// The faster one of this processor.
  static let fastest = dseg_has_panel_product() != 0 ? panels : rowMajor

  /// Columns come in multiples of this.
  var columnMultiple: Int { self == .panels ? Int(dseg_panel_width) : 1 }

  /// Place of an element of a matrix of so many rows and columns.
  @inline(__always)
  func place(row: Int, column: Int, rows: Int, columns: Int) -> Int {
    let width = self == .panels ? Int(dseg_panel_width) : columns
    return (column / width * rows + row) * width + column % width
  }
}

/// The right factor of many products, `[rows, columns]`.
struct PackedMatrix {
  let base: UnsafePointer<Float>
  let rows: Int
  let columns: Int
  let order: PackedOrder

  /// A product with a part of this matrix: `result (+)= x · self[rows, columns]`, on the calling thread.
  /// - Parameters:
  ///   - x: `[m, rows.count]`, not transposed
  ///   - columns: the first is a multiple of the order's
  ///   - result: `[m, columns.count]`
  func multiply(
    _ x: Matrix, rows: Range<Int>, columns: Range<Int>, adding: Bool, into result: MutableMatrix
  ) {
    precondition(
      x.columns == rows.count && x.rows == result.rows && result.columns == columns.count
        && !x.isTransposed && columns.lowerBound % order.columnMultiple == 0
        && columns.count % order.columnMultiple == 0,
      "[\(x.rows), \(x.columns)] times rows \(rows), columns \(columns) into [\(result.rows), \(result.columns)]"
    )
    let first =
      base
      + order.place(
        row: rows.lowerBound, column: columns.lowerBound, rows: self.rows, columns: self.columns)
    switch order {
    case .panels:
      dseg_panel_product(
        dseg_product(
          x: x.base, x_stride: x.stride, u: first, panel_stride: self.rows * Int(dseg_panel_width),
          y: result.base, y_stride: result.stride, rows: x.rows, depth: rows.count,
          columns: columns.count, adds: adding ? 1 : 0))
    case .rowMajor:
      GEMM.multiply(
        x, Matrix(first, rows: rows.count, columns: columns.count, stride: self.columns),
        beta: adding ? 1 : 0, into: result)
    }
  }

  /// `result (+)= x · self`
  func multiply(_ x: Matrix, adding: Bool = false, into result: MutableMatrix) {
    multiply(x, rows: 0..<rows, columns: 0..<columns, adding: adding, into: result)
  }
}
