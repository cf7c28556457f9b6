/// The pictures of a generated data set that are kept by their uncertainty, the most certain first.
///
/// With `n = Int(count · portion)`, positions `30 ..< count + 30 - n` of the ascending order are kept: the
/// thirty most certain go (they tend to be degenerate), and the `n - 30` most uncertain. This is the slice
/// `[30 : 30 - n]` of the reference with its consequence that nothing is left when `n` is 30 or less.
///
/// - Parameters:
///   - scores: uncertainty of each picture; equal ones keep their order
///   - portion: share of the pictures to drop, 0 to 1
/// - Returns: numbers of pictures
/// - Source: `train_deeplab.py` of ddpm-segmentation
public func picturesKept(byUncertainty scores: [Float], portion: Double) -> [Int] {
  precondition((0...1).contains(portion), "portion \(portion)")
  let dropped = Int(Double(scores.count) * portion)
  guard dropped > 30 else { return [] }
  let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
  return Array(order[min(30, order.count)..<max(30, order.count + 30 - dropped)])
}
