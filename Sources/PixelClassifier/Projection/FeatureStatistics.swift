import Base
import TensorCore

// Statistics of a sample of n pixel vectors of length D

extension FeatureProjection {
  /// The directions of largest variance in a sample, at most so many: variances, largest first, and `[count, D]`, each
  /// of length 1. Directions that say nothing but rounding are left out.
  static func principalComponents(
    _ dataset: PixelDataset, _ rows: [Int], moments: FeatureMoments, most: Int
  ) throws(DataError) -> (variances: [Float], vectors: Tensor) {
    let (width, mean) = (dataset.featureCount, moments.mean)
    guard moments.variances.contains(where: { $0 > 0 }) else { return ([], Tensor(zeros: [0, width])) }
    let isLong = rows.count < width
    // Of few long vectors: X Xᵀ has the eigenvalues of Xᵀ X, and Xᵀ times its vectors are the other's.
    let x = isLong ? dataset.features(ofRows: rows).subtracting(mean) : nil
    let eigen = try SymmetricEigen(x.map(gram) ?? covariance(dataset, rows, mean: mean))
    let variances = Array(eigen.values.prefix(most).prefix { $0 > eigen.values[0] * smallestShare })
    guard let x, !variances.isEmpty else { return (variances, eigen.vectors.rows(variances.count)) }
    var vectors = Tensor(shape: [variances.count, width]) { y in
      withPointers(eigen.vectors, x) { u, x in
        GEMM.parallelMultiply(
          Matrix(u, rows: variances.count, columns: rows.count),
          Matrix(x, rows: rows.count, columns: width),
          into: MutableMatrix(y, rows: variances.count, columns: width))
      }
    }
    vectors.withMutablePointer { y in
      for row in variances.indices {
        let vector = y + row * width
        let length = (0..<width).reduce(0.0) { $0 + Double(vector[$1]) * Double(vector[$1]) }.squareRoot()
        for c in 0..<width { vector[c] *= Float(1 / length) }
      }
    }
    return (variances, vectors)
  }

  /// `X Xᵀ / (n - 1)` of `[n, D]`.
  private static func gram(_ x: Tensor) -> Tensor {
    let (count, width) = (x.shape[0], x.shape[1])
    return Tensor(shape: [count, count]) { y in
      withPointers(x) { x in
        let matrix = Matrix(x, rows: count, columns: width)
        GEMM.parallelMultiply(
          matrix, matrix.transposed, alpha: 1 / Float(count - 1),
          into: MutableMatrix(y, rows: count, columns: count))
      }
    }
  }

  /// Some rows, all different, in ascending order.
  static func sample(_ count: Int, most: Int, random: Philox) -> [Int] {
    guard count > most else { return Array(0..<count) }
    var random = random
    var order = (0..<Int32(count)).map { $0 }
    random.shuffle(&order)
    return order.prefix(most).map { Int($0) }.sorted()
  }

  static func forEachChunk(_ dataset: PixelDataset, _ rows: [Int], _ body: (Tensor) -> Void) {
    for start in stride(from: 0, to: rows.count, by: 2048) {
      body(dataset.features(ofRows: Array(rows[start..<min(start + 2048, rows.count)])))
    }
  }

  /// `[D, D]`
  static func covariance(_ dataset: PixelDataset, _ rows: [Int], mean: Tensor) -> Tensor {
    let width = dataset.featureCount
    var covariance = Tensor(zeros: [width, width])
    forEachChunk(dataset, rows) { x in
      var x = x
      x.subtract(mean)
      x.withMutablePointer { [count = x.shape[0]] x in
        covariance.withMutablePointer { sum in
          let matrix = Matrix(x, rows: count, columns: width)
          GEMM.parallelMultiply(
            matrix.transposed, matrix, alpha: 1 / Float(rows.count - 1), beta: 1,
            into: MutableMatrix(sum, rows: width, columns: width))
        }
      }
    }
    return covariance
  }
}

extension Tensor {
  /// Subtracts `[m]` from every row of `[n, m]`.
  mutating func subtract(_ mean: Tensor) {
    let (count, width) = (shape[0], shape[1])
    withMutablePointer { x in
      withPointers(mean) { mean in
        for row in 0..<count { for c in 0..<width { x[row * width + c] -= mean[c] } }
      }
    }
  }

  fileprivate func subtracting(_ mean: Tensor) -> Tensor {
    var x = self
    x.subtract(mean)
    return x
  }

  /// The first rows of `[n, m]`.
  fileprivate func rows(_ count: Int) -> Tensor {
    let width = shape[1]
    return Tensor(shape: [count, width]) { y in
      withPointers(self) { y.update(from: $0, count: count * width) }
    }
  }
}
