import Base
import CBLAS

/// Eigenvalues and eigenvectors of a real symmetric matrix.
public struct SymmetricEigen: Sendable {
  /// Largest first.
  public let values: [Float]
  /// `[n, n]`, one vector of length 1 a row, in the order of the values. The element of largest magnitude is
  /// positive, so that the result does not depend on the library's choice of signs.
  public let vectors: Tensor

  /// The largest matrix: LAPACK counts its workspace of 1 + 6 n + 2 n² numbers in 32 bits.
  public static let largestSize = 32_765

  /// By LAPACK's `ssyevd`, in O(n³) time and O(n²) memory.
  /// - Parameter matrix: `[n, n]`, of which the upper triangle is read
  /// - Throws: `DataError` when n is above `largestSize`, or no eigenvalues are found because the matrix is not finite.
  /// - Precondition: the matrix is square and not empty.
  public init(_ matrix: Tensor) throws(DataError) {
    precondition(
      matrix.rank == 2 && matrix.shape[0] == matrix.shape[1] && matrix.count > 0,
      "eigenvectors of a matrix \(matrix.shape)")
    let n = matrix.shape[0]
    guard n <= Self.largestSize else {
      throw DataError(
        .unsupported, file: "eigenvectors", expected: "a matrix of at most \(Self.largestSize) rows",
        found: "\(n)")
    }
    // LAPACK may not come back from a NaN.
    guard matrix.isFinite else {
      throw DataError(
        .malformed, file: "eigenvectors", expected: "a matrix of finite numbers", found: "NaN or infinity")
    }
    // Columns are LAPACK's rows, so its lower triangle is our upper one, and its columns of vectors are our rows.
    var vectors = matrix
    var values = [Float](repeating: 0, count: n)
    _ = BLAS.prepared
    let info = vectors.withMutablePointer { Self.decompose($0, n: n, values: &values) }
    guard info == 0 else {
      throw DataError(
        .malformed, file: "eigenvectors", expected: "a matrix with eigenvalues",
        found: "ssyevd ended with \(info)")
    }
    self.values = values.reversed()
    self.vectors = Tensor(shape: [n, n]) { y in
      withPointers(vectors) { x in
        for row in 0..<n {
          let (from, to) = (x + (n - 1 - row) * n, y + row * n)
          let largest = (0..<n).max { abs(from[$0]) < abs(from[$1]) }!
          let sign: Float = from[largest] < 0 ? -1 : 1
          for column in 0..<n { to[column] = from[column] * sign }
        }
      }
    }
  }

  private static func decompose(_ a: UnsafeMutablePointer<Float>, n: Int, values: inout [Float]) -> Int32 {
    var (size, info, lwork, liwork) = (Int32(n), Int32(0), Int32(-1), Int32(-1))
    var (bestWork, bestInteger) = (Float(0), Int32(0))
    ssyevd_("V", "L", &size, a, &size, &values, &bestWork, &lwork, &bestInteger, &liwork, &info)
    // A float holds the size of large workspaces only roughly.
    lwork = max(
      Int32(clamping: Int64(bestWork.nextUp.rounded(.up))), Int32(clamping: 1 + 6 * n + 2 * n * n))
    liwork = max(bestInteger, Int32(3 + 5 * n))
    var work = [Float](repeating: 0, count: Int(lwork))
    var integers = [Int32](repeating: 0, count: Int(liwork))
    ssyevd_("V", "L", &size, a, &size, &values, &work, &lwork, &integers, &liwork, &info)
    return info
  }
}

extension Tensor {
  /// Whether no element is NaN or infinite.
  package var isFinite: Bool {
    withPointers(self) { x in (0..<count).allSatisfy { x[$0].isFinite } }
  }
}
