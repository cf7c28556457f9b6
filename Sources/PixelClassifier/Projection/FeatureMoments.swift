import Base
import TensorCore

// n vectors of length D

/// Mean and variance of every feature of a sample, in double precision and two passes: with one pass, or with sums of
/// single precision, the variance of numbers far from 0 is that of their rounding.
struct FeatureMoments {
  /// `[D]`
  let mean: Tensor
  /// With n - 1 degrees of freedom; 0 for a feature that does not vary by more than the rounding of its numbers. To divide
  /// by such a deviation would blow up rounding to the size of a signal.
  let variances: [Float]

  /// A deviation below this share of the root mean square is that of rounding: four units in the last place of a number
  /// of single precision.
  static let smallestShare = 0x1p-22

  /// - Throws: `DataError` when a number is not finite.
  /// - Precondition: at least two rows.
  init(_ dataset: PixelDataset, _ rows: [Int]) throws(DataError) {
    let (width, count) = (dataset.featureCount, Double(rows.count))
    var means = [Double](repeating: 0, count: width)
    FeatureProjection.forEachChunk(dataset, rows) { x in
      withPointers(x) { values in
        for row in 0..<x.shape[0] { for c in 0..<width { means[c] += Double(values[row * width + c]) } }
      }
    }
    for c in 0..<width { means[c] /= count }
    if let bad = means.firstIndex(where: { !Float($0).isFinite }) {
      throw DataError(
        .malformed, file: "features", item: "feature \(bad)", expected: "finite numbers",
        found: "NaN or infinity in the training pixels")
    }
    var squares = [Double](repeating: 0, count: width)
    FeatureProjection.forEachChunk(dataset, rows) { x in
      withPointers(x) { values in
        for row in 0..<x.shape[0] {
          for c in 0..<width {
            let difference = Double(values[row * width + c]) - means[c]
            squares[c] += difference * difference
          }
        }
      }
    }
    mean = Tensor(means.map { Float($0) }, shape: [width])
    variances = zip(squares, means).map { squares, mean in
      let floor = Self.smallestShare * Self.smallestShare * (squares / count + mean * mean)
      let variance = Float(squares / (count - 1))
      return squares / count > floor && (1 / variance.squareRoot()).isFinite ? variance : 0
    }
  }
}
