import TensorCore
import Testing

/// The same of what is in double precision.
public func expectClose(
  _ actual: NaiveTensor, _ expected: NaiveTensor, absolute: Double,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, sourceLocation: sourceLocation)
  let worst = zip(actual.elements, expected.elements).map { abs($0 - $1) }.max() ?? 0
  #expect(worst <= absolute, sourceLocation: sourceLocation)
}

/// Fails unless `|actual - expected| <= absolute + relative · |expected|` for every element.
public func expectClose(
  _ actual: Tensor, _ expected: NaiveTensor, absolute: Double, relative: Double = 0,
  _ comment: Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, comment, sourceLocation: sourceLocation)
  guard actual.shape == expected.shape else { return }
  var worst = (excess: -Double.infinity, index: 0)
  let elements = actual.elements
  for index in elements.indices {
    let difference = abs(Double(elements[index]) - expected.elements[index])
    // A NaN must count as an excess.
    let excess =
      difference.isNaN ? .infinity : difference - absolute - relative * abs(expected.elements[index])
    if excess > worst.excess { worst = (excess, index) }
  }
  #expect(
    worst.excess <= 0,
    "element \(worst.index): \(elements.isEmpty ? 0 : elements[worst.index]) instead of \(elements.isEmpty ? 0 : expected.elements[worst.index]). \(comment.map { "\($0)" } ?? "")",
    sourceLocation: sourceLocation)
}
