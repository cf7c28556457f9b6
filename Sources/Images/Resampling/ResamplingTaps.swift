/// Which source pixels make up each target pixel of one direction, and their weights in fixed point.
///
/// Pillow's arithmetic (`Resample.c`), so that pictures come out equal in every bit: weights are
/// normalised in Double, then rounded to multiples of 2^-22.
struct ResamplingTaps {
  /// Bits behind the point: a sum of weighted bytes just fits 32 bits, with 2 bits for overshoot.
  static let fractionBits: Int32 = 32 - 8 - 2

  /// First source pixel of each target pixel.
  private(set) var first: [Int] = []
  /// Number of source pixels of each target pixel.
  private(set) var count: [Int] = []
  /// Room for weights of one target pixel; those beyond its count are 0.
  let stride: Int
  /// `[target pixels, stride]`.
  private(set) var weights: [Int32]

  /// The source pixels that any target pixel uses.
  var sources: Range<Int> { first[0]..<first[first.count - 1] + count[count.count - 1] }

  /// The taps of the target pixels in `targets`, not empty and inside 0..<targetSize.
  init(sourceSize: Int, targetSize: Int, targets: Range<Int>, filter: ResamplingFilter) {
    let scale = Double(sourceSize) / Double(targetSize)
    // Shrinking widens the filter, which is what keeps it free of aliasing.
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    stride = min(Int(support.rounded(.up)) * 2 + 1, sourceSize)
    weights = Array(repeating: 0, count: targets.count * stride)
    first.reserveCapacity(targets.count)
    count.reserveCapacity(targets.count)
    var exact: [Double] = []
    for target in targets {
      let center = (Double(target) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), sourceSize)
      exact.removeAll(keepingCapacity: true)
      for source in start..<end {
        exact.append(filter.weight(at: (Double(source) - center + 0.5) * (1 / filterScale)))
      }
      let sum = exact.reduce(0, +)
      for (index, weight) in exact.enumerated() {
        let scaled = (sum == 0 ? weight : weight / sum) * Double(Int32(1) << Self.fractionBits)
        weights[(target - targets.lowerBound) * stride + index] = Int32(scaled + (scaled < 0 ? -0.5 : 0.5))
      }
      first.append(start)
      count.append(end - start)
    }
  }
}
