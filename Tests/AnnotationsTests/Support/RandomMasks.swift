import Annotations
import Images

/// Masks with many small areas and holes, the same for a seed on all machines.
func randomMask(seed: UInt64, labels: [UInt8]) -> LabelMask {
  var state = seed &* 2 + 1
  func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
  let (width, height) = (1 + next(23), 1 + next(19))
  var mask = LabelMask(width: width, height: height, label: labels[0])
  // Rectangles over rectangles, and single pixels.
  for _ in 0..<next(9) {
    let (x, y, label) = (next(width), next(height), labels[next(labels.count)])
    for row in y..<min(height, y + 1 + next(9)) {
      for column in x..<min(width, x + 1 + next(9)) { mask[column, row] = label }
    }
  }
  for _ in 0..<next(40) { mask[next(width), next(height)] = labels[next(labels.count)] }
  return mask
}
