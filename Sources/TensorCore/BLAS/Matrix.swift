/// A row-major matrix of floats somewhere in memory, read only: `[rows, columns]` with `stride` floats
/// from one stored row to the next. A transposed one is stored as `[columns, rows]`.
package struct Matrix {
  package let base: UnsafePointer<Float>
  package let rows: Int
  package let columns: Int
  package let stride: Int
  package let isTransposed: Bool

  package init(_ base: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.init(base: base, rows: rows, columns: columns, stride: stride ?? columns, isTransposed: false)
  }

  private init(base: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int, isTransposed: Bool) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.isTransposed = isTransposed
  }

  /// The transpose, without moving anything.
  package var transposed: Matrix {
    Matrix(base: base, rows: columns, columns: rows, stride: stride, isTransposed: !isTransposed)
  }

  func rows(_ range: Range<Int>) -> Matrix {
    let offset = isTransposed ? range.lowerBound : range.lowerBound * stride
    return Matrix(
      base: base + offset, rows: range.count, columns: columns, stride: stride, isTransposed: isTransposed)
  }

  func columns(_ range: Range<Int>) -> Matrix {
    transposed.rows(range).transposed
  }
}

/// A row-major matrix of floats that is written: `[rows, columns]`, `stride` floats from row to row.
package struct MutableMatrix {
  package let base: UnsafeMutablePointer<Float>
  package let rows: Int
  package let columns: Int
  package let stride: Int

  package init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  func rows(_ range: Range<Int>) -> MutableMatrix {
    MutableMatrix(base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  func columns(_ range: Range<Int>) -> MutableMatrix {
    MutableMatrix(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}
