/// Gradient of a function of a tensor by central differences in double precision.
///
/// - Parameters:
///   - x: where
///   - step: half of the distance between the two points of a difference; with 1e-5 the error of a smooth
///     function of size 1 is about 1e-10
public func finiteDifferenceGradient(
  at x: NaiveTensor, step: Double = 1e-5, of function: (NaiveTensor) -> Double
) -> NaiveTensor {
  var gradient = NaiveTensor(zeros: x.shape)
  for index in x.elements.indices {
    var (above, below) = (x, x)
    above.elements[index] += step
    below.elements[index] -= step
    gradient.elements[index] = (function(above) - function(below)) / (2 * step)
  }
  return gradient
}

/// Sum of the products of two tensors' elements: the scalar whose gradient at `a` is `b`.
public func dot(_ a: NaiveTensor, _ b: NaiveTensor) -> Double {
  precondition(a.shape == b.shape)
  return zip(a.elements, b.elements).reduce(0) { $0 + $1.0 * $1.1 }
}
