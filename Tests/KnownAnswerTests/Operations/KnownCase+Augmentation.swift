import Augment
import Images

/// The transforms that parameters describe.
extension KnownCase {
  func image() throws -> Image {
    let array = try array("image")
    return Image(width: array.shape[1], height: array.shape[0], pixels: array.uint8s())
  }

  func mask() throws -> LabelMask {
    let array = try array("mask")
    return LabelMask(width: array.shape[1], height: array.shape[0], labels: array.uint8s())
  }
}

extension Parameters {
  /// A step of a chain.
  func transform(_ width: Int, _ height: Int) throws -> ImageTransform {
    switch try string("op") {
    case "color_jitter": .colorJitter(try colorJitter())
    case "to_gray": .toGray
    case "channel_shuffle": .channelShuffle(order: try ints("order"))
    case "horizontal_flip": .horizontalFlip(exchanging: .none)
    case "coarse_dropout": .coarseDropout(try coarseDropout())
    case "random_resized_crop": .resizedCrop(try resizedCrop())
    case "rotate": .affine(try rotation(width, height))
    case "elastic_affine": .affine(try elasticAffine())
    default: throw mismatch("op", "a known transform")
    }
  }

  func colorJitter() throws -> ColorJitter {
    ColorJitter(
      brightness: try double("brightness"), contrast: try double("contrast"),
      saturation: try double("saturation"), hue: try double("hue"),
      order: try ints("order").map { stage in
        guard let stage = ColorJitter.Stage(rawValue: stage) else { throw mismatch("order", "0 to 3") }
        return stage
      })
  }

  func coarseDropout() throws -> CoarseDropout {
    let holes = try intLists("holes_x1_y1_x2_y2").map { corners in
      guard corners.count == 4, corners[0] <= corners[2], corners[1] <= corners[3] else {
        throw mismatch("holes_x1_y1_x2_y2", "two corners each")
      }
      return CoarseDropout.Hole(
        x: corners[0], y: corners[1], width: corners[2] - corners[0], height: corners[3] - corners[1])
    }
    let fill = try levels("fill_value")
    return CoarseDropout(
      holes: holes, fill: RGB(fill[0], fill[1], fill[2]), label: try label("mask_fill_value"))
  }

  func resizedCrop() throws -> ResizedCrop {
    let numbers = try ["left", "top", "crop_width", "crop_height", "width", "height"].map(int)
    guard numbers.suffix(4).allSatisfy({ $0 > 0 }) else { throw mismatch("crop_width", "sides above 0") }
    return ResizedCrop(
      x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3], newWidth: numbers[4],
      newHeight: numbers[5])
  }

  func rotation(_ width: Int, _ height: Int) throws -> AffineWarp {
    AffineWarp(
      AffineMatrix(rotation: try double("angle_degrees"), width: width, height: height),
      border: try border())
  }

  func elasticAffine() throws -> AffineWarp {
    func points(_ name: String) throws -> [SIMD2<Double>] {
      let points = try doubleLists(name)
      guard points.count == 3, points.allSatisfy({ $0.count == 2 }) else {
        throw mismatch(name, "three points")
      }
      return points.map { SIMD2($0[0], $0[1]) }
    }
    guard let matrix = AffineMatrix(try points("pts1"), to: try points("pts2")), matrix.inverse != nil else {
      throw mismatch("pts1", "points that are not on a line, to others that are not")
    }
    return AffineWarp(matrix, border: try border())
  }

  /// Mirrored unless parameters say otherwise.
  func border() throws -> Border {
    guard let name = try stringIfPresent("border") else { return .reflect }
    guard name == "constant" else { throw mismatch("border", "constant") }
    let color = try levels("border_value")
    guard let label = try label("mask_border_value") else { throw mismatch("mask_border_value", "a label") }
    return .constant(color: RGB(color[0], color[1], color[2]), label: label)
  }

  /// A label; nil where there is none.
  private func label(_ name: String) throws -> UInt8? {
    guard let value = try intIfPresent(name) else { return nil }
    guard let label = UInt8(exactly: value) else { throw mismatch(name, "a label from 0 to 255") }
    return label
  }

  /// The label to ignore.
  func ignoreLabel() throws -> UInt8 {
    guard let label = try label("ignore_label") else { throw mismatch("ignore_label", "a label") }
    return label
  }
}
