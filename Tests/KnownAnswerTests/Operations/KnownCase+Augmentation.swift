import Augment
import Images
import TensorCore

/// The transforms that parameters describe.
extension KnownCase {
  typealias Parameters = [String: JSONValue]

  func image() throws -> Image {
    let array = try array("image")
    return Image(width: array.shape[1], height: array.shape[0], pixels: array.uint8s())
  }

  func mask() throws -> LabelMask {
    let array = try array("mask")
    return LabelMask(width: array.shape[1], height: array.shape[0], labels: array.uint8s())
  }

  func transform(_ name: String, _ parameters: Parameters, _ width: Int, _ height: Int) throws
    -> ImageTransform
  {
    switch name {
    case "color_jitter": .colorJitter(try colorJitter(parameters))
    case "horizontal_flip": .horizontalFlip(exchanging: .none)
    case "coarse_dropout": .coarseDropout(try coarseDropout(parameters))
    case "random_resized_crop": .resizedCrop(try resizedCrop(parameters))
    case "rotate": .affine(try rotation(parameters, width, height))
    case "elastic_affine": .affine(try elasticAffine(parameters))
    default:
      throw DataError(.malformed, file: id, item: "op", expected: "a known transform", found: name)
    }
  }

  func colorJitter(_ parameters: Parameters) throws -> ColorJitter {
    ColorJitter(
      brightness: Float(try number("brightness", parameters)),
      contrast: Float(try number("contrast", parameters)),
      saturation: Float(try number("saturation", parameters)), hue: Float(try number("hue", parameters)),
      order: try numbers("order", parameters).map { try value(ColorJitter.Stage(rawValue: Int($0)), "order") }
    )
  }

  func coarseDropout(_ parameters: Parameters) throws -> CoarseDropout {
    let holes = try value(parameters["holes_x1_y1_x2_y2"]?.array, "holes").map { hole in
      let corners = try value(hole.array, "hole").compactMap(\.int)
      return CoarseDropout.Hole(
        x: corners[0], y: corners[1], width: corners[2] - corners[0], height: corners[3] - corners[1])
    }
    let fill = UInt8(try number("fill_value", parameters))
    return CoarseDropout(
      holes: holes, fill: RGB(fill, fill, fill), label: parameters["mask_fill_value"]?.int.map { UInt8($0) })
  }

  func resizedCrop(_ parameters: Parameters) throws -> ResizedCrop {
    let names = ["left", "top", "crop_width", "crop_height", "width", "height"]
    let numbers = try names.map { Int(try number($0, parameters)) }
    return ResizedCrop(
      x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3], newWidth: numbers[4],
      newHeight: numbers[5])
  }

  func rotation(_ parameters: Parameters, _ width: Int, _ height: Int) throws -> AffineWarp {
    AffineWarp(
      AffineMatrix(rotation: try number("angle_degrees", parameters), width: width, height: height),
      border: try border(parameters))
  }

  func elasticAffine(_ parameters: Parameters) throws -> AffineWarp {
    func points(_ name: String) throws -> [SIMD2<Double>] {
      try value(parameters[name]?.array, name).map { point in
        let place = try value(point.array, name).compactMap(\.double)
        return SIMD2(place[0], place[1])
      }
    }
    return AffineWarp(
      try value(AffineMatrix(points("pts1"), to: points("pts2")), "pts1"), border: try border(parameters))
  }

  /// Mirrored unless parameters say otherwise.
  func border(_ parameters: Parameters) throws -> Border {
    guard let name = parameters["border"]?.string else { return .reflect }
    guard name == "constant" else {
      throw DataError(.malformed, file: id, item: "border", expected: "constant", found: name)
    }
    let color = UInt8(try number("border_value", parameters))
    return .constant(
      color: RGB(color, color, color), label: UInt8(try number("mask_border_value", parameters)))
  }

  func named<Name: RawRepresentable<String>>(_ name: String) throws -> Name {
    try value(Name(rawValue: string(name)), name)
  }

  private func number(_ name: String, _ parameters: Parameters) throws -> Double {
    try value(parameters[name]?.double, name)
  }

  private func numbers(_ name: String, _ parameters: Parameters) throws -> [Double] {
    try value(parameters[name]?.array, name).compactMap(\.double)
  }

  private func value<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else {
      throw DataError(.malformed, file: id, item: name, expected: "a parameter of this name", found: "none")
    }
    return value
  }
}
