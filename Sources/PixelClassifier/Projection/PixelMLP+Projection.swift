import TensorCore

extension PixelMLP {
  /// The classifier that does on vectors as they are what this one does on projected ones:
  /// `W ((x - m) Pᵀ)ᵀ + b = (W P) x + (b - W P m)`.
  /// - Precondition: this classifier takes vectors of the projection's output.
  public func absorbing(_ projection: FeatureProjection) -> PixelMLP {
    precondition(
      featureCount == projection.outputCount,
      "a classifier of \(featureCount) features after a projection to \(projection.outputCount)")
    let (units, inputs) = (linear0.weight.shape[0], projection.mean.count)
    let weight: Tensor
    switch projection.weight {
    case .diagonal(let factors):
      weight = Tensor(shape: [units, inputs]) { y in
        withPointers(linear0.weight, factors) { w, factors in
          for unit in 0..<units {
            for c in 0..<inputs { y[unit * inputs + c] = w[unit * inputs + c] * factors[c] }
          }
        }
      }
    case .matrix(let rows):
      weight = Tensor(shape: [units, inputs]) { y in
        withPointers(linear0.weight, rows) { w, rows in
          GEMM.multiply(
            Matrix(w, rows: units, columns: featureCount), Matrix(rows, rows: featureCount, columns: inputs),
            into: MutableMatrix(y, rows: units, columns: inputs))
        }
      }
    }
    let (rows, mean) = (weight.elements, projection.mean.elements)
    let bias = linear0.bias.elements.enumerated().map { unit, bias in
      // Large numbers that nearly cancel, so in double precision.
      Float((0..<inputs).reduce(Double(bias)) { $0 - Double(rows[unit * inputs + $1]) * Double(mean[$1]) })
    }
    return PixelMLP(
      linear0: LinearParameters(weight: weight, bias: Tensor(bias, shape: [units])), norm2: norm2,
      linear3: linear3,
      norm5: norm5, linear6: linear6, batchesTracked: batchesTracked)
  }
}
