import TensorCore

// D: length of a pixel's vector   d: of its projection   x: [N, D]   y: [N, d]

/// How pixel vectors are prepared before classifiers are trained on them.
public enum FeaturePreparation: Sendable, Hashable {
  /// As they are.
  case none
  /// Every feature less its mean, divided by its standard deviation.
  case standardized
  /// The directions of largest variance, at most so many; whitened ones are divided by their standard deviation.
  case principalComponents(Int, whitened: Bool)
}

extension FeaturePreparation: CustomStringConvertible {
  /// The forms that `init(_:)` reads.
  public static let forms = "none, standardize, pca:COMPONENTS or whiten:COMPONENTS"

  /// Reads what `description` writes.
  /// - Throws: `DataError` for anything else.
  public init(_ text: String) throws(DataError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    switch (parts[0], parts.count, parts.count == 2 ? Int(parts[1]) : nil) {
    case ("none", 1, _): self = .none
    case ("standardize", 1, _): self = .standardized
    case ("pca", 2, let count?) where count >= 1: self = .principalComponents(count, whitened: false)
    case ("whiten", 2, let count?) where count >= 1: self = .principalComponents(count, whitened: true)
    default:
      throw DataError(.invalidArgument, file: "preparation of features", expected: Self.forms, found: text)
    }
  }

  public var description: String {
    switch self {
    case .none: "none"
    case .standardized: "standardize"
    case .principalComponents(let count, let whitened): "\(whitened ? "whiten" : "pca"):\(count)"
    }
  }
}

/// A linear map of pixel vectors, `y = (x - mean) · weightᵀ`, that was found from a sample of them.
///
/// Being linear, it can become part of a classifier's first layer: see `PixelMLP.absorbing(_:)`.
public struct FeatureProjection: Sendable {
  enum Weight: Sendable {
    /// One factor a feature, `[D]`.
    case diagonal(Tensor)
    /// `[d, D]`
    case matrix(Tensor)
  }

  /// `[D]`
  public let mean: Tensor
  let weight: Weight
  /// Variance along each direction, largest first; of every feature for a standardisation.
  public let variances: [Float]

  /// Length d of a projected vector.
  public var outputCount: Int {
    switch weight {
    case .diagonal(let factors): factors.count
    case .matrix(let rows): rows.shape[0]
    }
  }

  /// Vectors that are looked at, at most.
  private static let sampleSize = 32_768
  private static let chunk = 2048
  /// Directions with less of the largest variance than this say nothing but rounding.
  private static let smallestShare: Float = 1e-9

  /// Finds the projection; nil for vectors as they are.
  /// - Parameter random: draws the sample
  /// - Throws: `DataError` when there are fewer than two vectors, or no component is asked for.
  public init?(
    _ preparation: FeaturePreparation, of dataset: PixelDataset, random: Philox
  ) throws(DataError) {
    if preparation == .none { return nil }
    if case .principalComponents(let count, _) = preparation, count < 1 {
      throw DataError(
        .invalidArgument, file: "features", item: "components", expected: "at least 1", found: "\(count)")
    }
    guard dataset.count >= 2 else {
      throw DataError(
        .invalidArgument, file: "training set", item: "pixels", expected: "at least 2",
        found: "\(dataset.count)")
    }
    let rows = Self.sample(dataset.count, random: random)
    let mean = Self.mean(dataset, rows)
    switch preparation {
    case .none: return nil
    case .standardized:
      let variances = Self.variances(dataset, rows, mean: mean)
      weight = .diagonal(Tensor(variances.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }, shape: [variances.count]))
      self.variances = variances
    case .principalComponents(let count, let whitened):
      let eigen = SymmetricEigen(Self.covariance(dataset, rows, mean: mean))
      let useful = eigen.values.prefix(count).prefix { $0 > eigen.values[0] * Self.smallestShare }
      guard !useful.isEmpty else {
        throw DataError(
          .malformed, file: "features", expected: "vectors that differ", found: "the same everywhere")
      }
      var vectors = eigen.vectors.rows(useful.count)
      if whitened {
        let width = vectors.shape[1]
        vectors.withMutablePointer { vectors in
          for (row, variance) in useful.enumerated() {
            for c in 0..<width { vectors[row * width + c] /= variance.squareRoot() }
          }
        }
      }
      weight = .matrix(vectors)
      variances = Array(useful)
    }
    self.mean = mean
  }

  /// Projects vectors: `[N, D]` to `[N, d]`.
  public func apply(_ x: Tensor) -> Tensor {
    precondition(
      x.rank == 2 && x.shape[1] == mean.count, "vectors \(x.shape) for a projection of \(mean.count)")
    var centered = x
    center(&centered)
    switch weight {
    case .diagonal(let factors):
      let width = mean.count
      centered.withMutablePointer { y in
        withPointers(factors) { factors in
          for row in 0..<x.shape[0] { for c in 0..<width { y[row * width + c] *= factors[c] } }
        }
      }
      return centered
    case .matrix(let rows):
      return Tensor(shape: [x.shape[0], rows.shape[0]]) { y in
        withPointers(centered, rows) { x, rows in
          GEMM.multiply(
            Matrix(x, rows: centered.shape[0], columns: mean.count),
            Matrix(rows, rows: outputCount, columns: mean.count).transposed,
            into: MutableMatrix(y, rows: centered.shape[0], columns: outputCount))
        }
      }
    }
  }

  private func center(_ x: inout Tensor) {
    let (rows, width) = (x.shape[0], x.shape[1])
    x.withMutablePointer { x in
      withPointers(mean) { mean in
        for row in 0..<rows { for c in 0..<width { x[row * width + c] -= mean[c] } }
      }
    }
  }
}

// MARK: Statistics of a sample

extension FeatureProjection {
  /// Some rows, all different, in ascending order.
  private static func sample(_ count: Int, random: Philox) -> [Int] {
    guard count > sampleSize else { return Array(0..<count) }
    var random = random
    var order = (0..<Int32(count)).map { $0 }
    random.shuffle(&order)
    return order.prefix(sampleSize).map { Int($0) }.sorted()
  }

  private static func forEachChunk(_ dataset: PixelDataset, _ rows: [Int], _ body: (Tensor) -> Void) {
    for start in stride(from: 0, to: rows.count, by: chunk) {
      body(dataset.features(ofRows: Array(rows[start..<min(start + chunk, rows.count)])))
    }
  }

  private static func mean(_ dataset: PixelDataset, _ rows: [Int]) -> Tensor {
    let width = dataset.featureCount
    var sums = [Double](repeating: 0, count: width)
    forEachChunk(dataset, rows) { x in
      let sum = sumOfRows(x).elements
      for c in 0..<width { sums[c] += Double(sum[c]) }
    }
    return Tensor(sums.map { Float($0 / Double(rows.count)) }, shape: [width])
  }

  private static func variances(_ dataset: PixelDataset, _ rows: [Int], mean: Tensor) -> [Float] {
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
  private static func covariance(_ dataset: PixelDataset, _ rows: [Int], mean: Tensor) -> Tensor {
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
