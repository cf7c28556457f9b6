import Base
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
  /// Variance along each direction, largest first; of every feature for a standardisation, 0 for those that do not
  /// vary by more than the rounding of their numbers, which become 0.
  public let variances: [Float]

  /// Length d of a projected vector.
  public var outputCount: Int {
    switch weight {
    case .diagonal(let factors): factors.count
    case .matrix(let rows): rows.shape[0]
    }
  }

  /// Vectors that are looked at, at most, unless it is said.
  public static let sampleSize = 32_768
  /// Directions with less of the largest variance than this say nothing but rounding.
  static let smallestShare: Float = 1e-6

  /// Finds the projection; nil for vectors as they are.
  /// - Parameters:
  ///   - preparation: which projection to find
  ///   - dataset: the vectors to find it on
  ///   - random: draws the sample
  ///   - sampleSize: vectors that are looked at, at most; at least 2
  /// - Throws: `DataError` when there are fewer than two vectors, one of them is not finite, all are the same, or no
  ///   component is asked for.
  public init?(
    _ preparation: FeaturePreparation, of dataset: PixelDataset, random: Philox,
    sampleSize: Int = FeatureProjection.sampleSize
  ) throws(DataError) {
    precondition(sampleSize >= 2, "a sample of \(sampleSize) vectors")
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
    // Of more features than a matrix can have rows, no more vectors than that either: then the vectors' products with
    // each other are the matrix.
    let most =
      dataset.featureCount > SymmetricEigen.largestSize
      ? min(sampleSize, SymmetricEigen.largestSize) : sampleSize
    let rows = Self.sample(dataset.count, most: most, random: random)
    let moments = try FeatureMoments(dataset, rows)
    let mean = moments.mean
    switch preparation {
    case .none: return nil
    case .standardized:
      let variances = moments.variances
      weight = .diagonal(Tensor(variances.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }, shape: [variances.count]))
      self.variances = variances
    case .principalComponents(let count, let whitened):
      var (useful, vectors) = try Self.principalComponents(dataset, rows, moments: moments, most: count)
      guard !useful.isEmpty else {
        throw DataError(
          .malformed, file: "features", expected: "vectors that differ", found: "the same everywhere")
      }
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
    centered.subtract(mean)
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
}
