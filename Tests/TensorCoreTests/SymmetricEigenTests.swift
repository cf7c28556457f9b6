import Base
import TensorCore
import TestSupport
import Testing

struct SymmetricEigenTests {
  @Test func smallMatrix() throws {
    // Eigenvalues 3 and 1, along (1, 1) and (1, -1).
    let eigen = try SymmetricEigen(Tensor([2, 1, 1, 2], shape: [2, 2]))
    #expect(abs(eigen.values[0] - 3) < 1e-6 && abs(eigen.values[1] - 1) < 1e-6)
    #expect(abs(eigen.vectors[0, 0] - eigen.vectors[0, 1]) < 1e-6)
    #expect(abs(eigen.vectors[1, 0] + eigen.vectors[1, 1]) < 1e-6)
  }

  /// `A = Vᵀ diag(λ) V`, and the vectors are orthonormal.
  @Test(arguments: [1, 5, 60])
  func takesApartAndPutsTogether(n: Int) throws {
    var random = Philox(seed: 3)
    let half = NaiveTensor(random.normal(shape: [n, n]))
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n { matrix[i * n + j] = half.elements[i * n + j] + half.elements[j * n + i] }
    }
    let eigen = try SymmetricEigen(Tensor(matrix.map(Float.init), shape: [n, n]))
    let vectors = NaiveTensor(eigen.vectors).elements
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 >= $1 })
    for i in 0..<n {
      for j in 0..<n {
        var (sum, product) = (0.0, 0.0)
        for k in 0..<n {
          sum += vectors[k * n + i] * Double(eigen.values[k]) * vectors[k * n + j]
          product += vectors[i * n + k] * vectors[j * n + k]
        }
        #expect(abs(sum - matrix[i * n + j]) < 1e-3)
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-4)
      }
      let row = eigen.vectors.elements[i * n..<(i + 1) * n]
      #expect(row.max { abs($0) < abs($1) }! > 0)
    }
  }

  /// LAPACK counts its workspace in 32 bits.
  @Test func tooLargeMatricesAreRefused() {
    let n = SymmetricEigen.largestSize + 1
    #expect(1 + 6 * (n - 1) + 2 * (n - 1) * (n - 1) <= Int(Int32.max))
    // Zeros that no memory is touched for.
    let error = #expect(throws: DataError.self) { try SymmetricEigen(Tensor(zeros: [n, n])) }
    #expect(error?.kind == .unsupported && error?.found == "\(n)")
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func numbersThatAreNone(bad: Float) {
    let error = #expect(throws: DataError.self) {
      try SymmetricEigen(Tensor([1, bad, bad, 1], shape: [2, 2]))
    }
    #expect(error?.kind == .malformed)
  }
}
