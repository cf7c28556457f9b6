import Images
import TensorCore

/// A picture of random samples.
func randomImage(width: Int, height: Int, seed: UInt64 = 1) -> Image {
  var random = Philox(seed: seed)
  return Image(
    width: width, height: height, pixels: (0..<3 * width * height).map { _ in UInt8(random.nextWord() >> 24) }
  )
}

/// Random labels below `classes`.
func randomMask(width: Int, height: Int, classes: UInt32 = 5, seed: UInt64 = 2) -> LabelMask {
  var random = Philox(seed: seed)
  return LabelMask(
    width: width, height: height,
    labels: (0..<width * height).map { _ in UInt8(random.nextWord() >> 8 % classes) })
}

/// A mask of a few large areas: a disc, a half plane and a square on a ground.
func areas(width: Int, height: Int) -> LabelMask {
  var mask = LabelMask(width: width, height: height, label: 0)
  for y in 0..<height {
    for x in 0..<width {
      if 3 * y > 2 * height { mask[x, y] = 1 }
      let (dx, dy) = (4 * x - width, 3 * y - height)
      if dx * dx + dy * dy < width * height { mask[x, y] = 2 }
      if x > 2 * width / 3 && y < height / 3 { mask[x, y] = 3 }
    }
  }
  return mask
}
