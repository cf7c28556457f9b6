import TensorCore

// Statistics of a sample of n pixel vectors of length D

extension FeatureProjection {
  /// Directions of a sample, those of largest variance first.
  struct Components {
    /// Variances.
    var values: [Float]
    /// The first of the directions, `[count, D]`, each of length 1.
    var vectors: (_ count: Int) -> Tensor
  }

  static func principalComponents(_ dataset: PixelDataset, _ rows: [Int], mean: Tensor) -> Components {
    guard rows.count < dataset.featureCount else {
      let eigen = SymmetricEigen(covariance(dataset, rows, mean: mean))
      return Components(values: eigen.values) { eigen.vectors.rows($0) }
    }
    // Of few long vectors: X Xᵀ has the eigenvalues of Xᵀ X, and Xᵀ times its vectors are the other's.
    let x = centered(dataset, rows, mean: mean)
    let (count, width) = (rows.count, dataset.featureCount)
    let gram = Tensor(shape: [count, count]) { y in
      withPointers(x) { x in
        let matrix = Matrix(x, rows: count, columns: width)
        GEMM.parallelMultiply(
          matrix, matrix.transposed, alpha: 1 / Float(count - 1),
          into: MutableMatrix(y, rows: count, columns: count))
      }
    }
    let eigen = SymmetricEigen(gram)
    return Components(values: eigen.values) { wanted in
      var vectors = Tensor(shape: [wanted, width]) { y in
        withPointers(eigen.vectors, x) { u, x in
          GEMM.parallelMultiply(
            Matrix(u, rows: wanted, columns: count), Matrix(x, rows: count, columns: width),
            into: MutableMatrix(y, rows: wanted, columns: width))
        }
      }
      vectors.withMutablePointer { y in
        for row in 0..<wanted {
          let length = (0..<width).reduce(0.0) {
            $0 + Double(y[row * width + $1]) * Double(y[row * width + $1])
          }
          let factor = Float(1 / length.squareRoot())
          for c in 0..<width { y[row * width + c] *= factor }
        }
      }
      return vectors
    }
  }

  private static func centered(_ dataset: PixelDataset, _ rows: [Int], mean: Tensor) -> Tensor {
    var x = dataset.features(ofRows: rows)
    let width = dataset.featureCount
    x.withMutablePointer { x in
      withPointers(mean) { mean in
        for row in rows.indices { for c in 0..<width { x[row * width + c] -= mean[c] } }
      }
    }
    return x
  }

  /// Some rows, all different, in ascending order.
  static func sample(_ count: Int, most: Int, random: Philox) -> [Int] {
    guard count > most else { return Array(0..<count) }
    var random = random
    var order = (0..<Int32(count)).map { $0 }
    random.shuffle(&order)
    return order.prefix(most).map { Int($0) }.sorted()
  }

  private static func forEachChunk(_ dataset: PixelDataset, _ rows: [Int], _ body: (Tensor) -> Void) {
    for start in stride(from: 0, to: rows.count, by: 2048) {
      body(dataset.features(ofRows: Array(rows[start..<min(start + 2048, rows.count)])))
    }
  }

  static func mean(_ dataset: PixelDataset, _ rows: [Int]) -> Tensor {
    let width = dataset.featureCount
    var sums = [Double](repeating: 0, count: width)
    forEachChunk(dataset, rows) { x in
      let sum = sumOfRows(x).elements
      for c in 0..<width { sums[c] += Double(sum[c]) }
    }
    return Tensor(sums.map { Float($0 / Double(rows.count)) }, shape: [width])
  }

  static func variances(_ dataset: PixelDataset, _ rows: [Int], mean: Tensor) -> [Float] {
    let width = dataset.featureCount
    var sums = [Double](repeating: 0, count: width)
    let mean = mean.elements
    forEachChunk(dataset, rows) { x in
      withPointers(x) { values in
        for row in 0..<x.shape[0] {
          for c in 0..<width {
            let difference = Double(values[row * width + c] - mean[c])
            sums[c] += difference * difference
          }
        }
      }
    }
    return sums.map { Float($0 / Double(rows.count - 1)) }
  }

  /// `[D, D]`
  static func covariance(_ dataset: PixelDataset, _ rows: [Int], mean: Tensor) -> Tensor {
    let width = dataset.featureCount
    var covariance = Tensor(zeros: [width, width])
    forEachChunk(dataset, rows) { x in
      var x = x
      let count = x.shape[0]
      x.withMutablePointer { x in
        withPointers(mean) { mean in
          for row in 0..<count { for c in 0..<width { x[row * width + c] -= mean[c] } }
        }
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
  /// The first rows of `[n, m]`.
  fileprivate func rows(_ count: Int) -> Tensor {
    let width = shape[1]
    return Tensor(shape: [count, width]) { y in
      withPointers(self) { y.update(from: $0, count: count * width) }
    }
  }
}
