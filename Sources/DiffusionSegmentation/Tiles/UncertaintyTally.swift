/// The score of `imageUncertaintyScore` for pixels that come one after the other and are not kept.
///
/// Pixels are counted in narrow classes of uncertainty, each with the sum of its pixels. Only of the class in which the
/// most uncertain tenth begins, not all count, with their mean.
package struct UncertaintyTally {
  private var counts: [Int]
  private var sums: [Double]
  private let classesPerNat: Float

  /// - Parameter most: the largest uncertainty there can be, in nats
  package init(most: Float) {
    let classes = 1 << 14
    (counts, sums) = (Array(repeating: 0, count: classes), Array(repeating: 0, count: classes))
    classesPerNat = Float(classes) / max(most, .leastNormalMagnitude)
  }

  package mutating func add(_ uncertainty: [Float]) {
    for value in uncertainty {
      // Also of what is not a number.
      let index = value > 0 ? Int(min(value * classesPerNat, Float(counts.count - 1))) : 0
      counts[index] += 1
      sums[index] += Double(value)
    }
  }

  /// Mean of the tenth of the pixels that is most uncertain; 0 for no pixels.
  package var score: Float {
    let pixels = counts.reduce(0, +)
    let wanted = pixels >= 10 ? pixels / 10 : pixels
    var (missing, sum) = (wanted, 0.0)
    for index in counts.indices.reversed() where counts[index] > 0 && missing > 0 {
      let taken = min(missing, counts[index])
      sum += sums[index] * Double(taken) / Double(counts[index])
      missing -= taken
    }
    return wanted > 0 ? Float(sum / Double(wanted)) : 0
  }
}
