import Images
import TensorCore

/// Light from one direction and from all sides.
struct SceneLight {
  /// Where the light comes from, in the picture and towards the viewer; a unit vector.
  private let direction: SIMD3<Float>
  private let ambient: Float
  private let diffuse: Float

  init(_ random: inout Philox) {
    // From above, from the left or the right.
    let across = ScenePoint(turns: random.uniform(0.56...0.94)) * random.uniform(0.5...0.85)
    direction = SIMD3(across.x, across.y, (1 - across.dot(across)).squareRoot())
    ambient = random.uniform(0.48...0.64)
    diffuse = random.uniform(0.5...0.65)
  }

  /// Where shadows fall: to the right of things (positive) or to the left.
  var lean: Float { -direction.x }

  /// Brightness of a surface whose normal has this part in the picture.
  func brightness(normal: ScenePoint) -> Float {
    let depth = max(1 - normal.dot(normal), 0).squareRoot()
    return ambient + diffuse * max(direction.x * normal.x + direction.y * normal.y + direction.z * depth, 0)
  }
}

/// Colours and classes on a grid of 3 x 3 samples a pixel, painted from the back to the front.
struct SceneCanvas {
  /// Samples a pixel in each direction; odd, so that one lies on the pixel's centre.
  private static let oversampling = 3

  let light: SceneLight
  private let imageSize: Int
  private let grid: SampleGrid
  private var colors: [SceneColor]
  private var labels: [UInt8]

  init(imageSize: Int, light: SceneLight) {
    self.imageSize = imageSize
    self.light = light
    grid = SampleGrid(side: imageSize * Self.oversampling)
    colors = Array(repeating: .zero, count: grid.side * grid.side)
    labels = Array(repeating: 0, count: grid.side * grid.side)
  }

  /// Paints everything: `color` gives the colour of each place.
  mutating func fill(_ color: (ScenePoint) -> SceneColor) {
    colors.withUnsafeMutableBufferPointer { [grid] colors in
      grid.forEachSample((.zero, ScenePoint(64, 64))) { colors[$0] = color($1) }
    }
  }

  /// Paints a shape.
  /// - Parameters:
  ///   - label: its class.
  ///   - shade: a factor of its brightness.
  mutating func paint(_ shape: some SceneShape, _ texture: SceneTexture, label: SceneClass, shade: Float = 1)
  {
    colors.withUnsafeMutableBufferPointer { [grid, light] colors in
      labels.withUnsafeMutableBufferPointer { labels in
        grid.forEachSample(shape.bounds) { index, place in
          guard let normal = shape.normal(at: place) else { return }
          colors[index] = texture.color(at: place) * (shade * light.brightness(normal: normal))
          labels[index] = label.rawValue
        }
      }
    }
  }

  /// Darkens what is there, most in the middle of the shape.
  /// - Parameter strength: 0 (nothing) to 1 (black).
  mutating func shadow(_ shape: some SceneShape, strength: Float) {
    colors.withUnsafeMutableBufferPointer { [grid] colors in
      grid.forEachSample(shape.bounds) { index, place in
        guard let normal = shape.normal(at: place) else { return }
        colors[index] *= 1 - strength * smoothStep(0, 0.7, 1 - normal.dot(normal))
      }
    }
  }

  /// The picture and its classes.
  ///
  /// A pixel's colour is the mean of its samples, its class that of the sample on its centre.
  /// - Parameter develop: the colour of a pixel, from that of the scene and its place.
  func developed(_ develop: (SceneColor, ScenePoint) -> SceneColor) -> (image: Image, mask: LabelMask) {
    let (step, side) = (Self.oversampling, grid.side)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * imageSize * imageSize)
    var classes: [UInt8] = []
    classes.reserveCapacity(imageSize * imageSize)
    for y in 0..<imageSize {
      for x in 0..<imageSize {
        let start = step * (y * side + x)
        var sum = SceneColor.zero
        for row in 0..<step {
          for column in 0..<step { sum += colors[start + row * side + column] }
        }
        let place = (ScenePoint(Float(x), Float(y)) + 0.5) * (64 / Float(imageSize))
        let color = develop(sum / Float(step * step), place)
          .clamped(lowerBound: .zero, upperBound: SceneColor(repeating: 1))
        for channel in 0..<3 { pixels.append(UInt8((255 * color[channel]).rounded())) }
        classes.append(labels[start + step / 2 * (side + 1)])
      }
    }
    return (
      Image(width: imageSize, height: imageSize, pixels: pixels),
      LabelMask(width: imageSize, height: imageSize, labels: classes)
    )
  }
}

/// The places of a square grid of samples over the picture.
private struct SampleGrid {
  /// Samples a side.
  let side: Int

  /// Calls `body` with every sample of a rectangle, in picture units: its index and its place.
  func forEachSample(_ bounds: (low: ScenePoint, high: ScenePoint), _ body: (Int, ScenePoint) -> Void) {
    let density = Float(side) / 64
    let end = ScenePoint(repeating: Float(side))
    let low = (bounds.low * density).clamped(lowerBound: .zero, upperBound: end)
    let high = (bounds.high * density).clamped(lowerBound: .zero, upperBound: end)
    for y in Int(low.y)..<max(Int(high.y.rounded(.up)), Int(low.y)) {
      for x in Int(low.x)..<max(Int(high.x.rounded(.up)), Int(low.x)) {
        body(y * side + x, (ScenePoint(Float(x), Float(y)) + 0.5) / density)
      }
    }
  }
}
