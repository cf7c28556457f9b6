import Base
import Images
import TensorCore

/// Activations of several pretrained models side by side: the vector of a pixel is those of all, one behind the other.
///
/// Every model sees the picture at the resolution that it was trained on and normalized in its own way; its maps keep
/// their own resolution, as those of one model do.
public struct CombinedFeatures: PixelFeatures {
  public let models: [any ModelFeatures]
  /// The largest size among the models', and the normalization of the first.
  public let input: InputSpecification
  /// Names begin with the kind of the model and, from the second of a kind on, its number: `mae/block11`.
  public let layout: [FeatureSlot]

  /// - Parameter models: in the order of their parts of the vector
  /// - Throws: `DataError` when they take pictures of other channels.
  /// - Precondition: there is a model.
  public init(_ models: [any ModelFeatures]) throws(DataError) {
    precondition(!models.isEmpty, "features of no model")
    let first = models[0].input
    for model in models where model.input.channels != first.channels {
      throw DataError(
        .invalidArgument, file: model.origin.path, item: "channels of a picture",
        expected: "\(first.channels), as \(models[0].origin.path) has", found: "\(model.input.channels)")
    }
    self.models = models
    input = Self.input(of: models.map(\.input))
    layout = Self.layout(of: models, size: input.size)
  }

  /// The features of one model as they are, or those of several side by side.
  /// - Parameter models: at least one
  /// - Throws: `DataError` when they take pictures of other channels.
  public static func joining(_ models: [any ModelFeatures]) throws(DataError) -> any PixelFeatures {
    models.count == 1 ? models[0] : try CombinedFeatures(models)
  }

  private static func input(of inputs: [InputSpecification]) -> InputSpecification {
    let size = inputs.map(\.size).max()!
    // The sides of smaller pictures are rounded to multiples.
    let multiples = inputs.filter { $0.size == size }.map(\.multiple)
    let largest = inputs.map { input in
      let zoom = Double(size) / Double(input.size)
      return Int(Double(input.largestPixels) * zoom * zoom)
    }
    return InputSpecification(
      size: size, multiple: multiples.reduce(1, leastCommonMultiple), largestPixels: largest.min()!,
      isFixedSize: inputs.contains(where: \.isFixedSize), channels: inputs[0].channels,
      normalization: inputs[0].normalization)
  }

  private static func layout(of models: [any ModelFeatures], size: Int) -> [FeatureSlot] {
    var slots: [FeatureSlot] = []
    var counts: [String: Int] = [:]
    for model in models {
      let kind = model.record.kind
      counts[kind, default: 0] += 1
      let name = counts[kind] == 1 ? kind : "\(kind)-\(counts[kind]!)"
      for slot in model.layout {
        slots.append(
          FeatureSlot(
            FeatureKey("\(name)/\(slot.key.name)", order: slots.count), channels: slot.channels,
            // Rounded down: what is estimated by it is rather too large.
            stride: max(1, slot.stride * size / model.input.size)))
      }
    }
    return slots
  }

  public func validate() throws(DataError) {
    for model in models { try model.validate() }
  }

  public func extract(_ picture: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps {
    try check(picture)
    let (height, width) = (picture.shape[1], picture.shape[2])
    var maps: [FeatureMap] = []
    for model in models {
      let seen = seen(picture, by: model.input)
      for map in try model.extract(seen, context).maps {
        maps.append(map.renamed(layout[maps.count].key))
      }
    }
    return FeatureMaps(maps: maps, height: height, width: width)
  }

  /// The picture as a model takes it.
  private func seen(_ picture: Tensor, by model: InputSpecification) -> Tensor {
    let (height, width) = side(of: model, height: picture.shape[1], width: picture.shape[2])
    let keepsSize = height == picture.shape[1] && width == picture.shape[2]
    if keepsSize && model.normalization == input.normalization { return picture }
    let image = Image(tensor: picture, normalization: input.normalization)
    return (keepsSize ? image : image.resized(width: width, height: height, filter: .bilinear))
      .tensor(normalization: model.normalization)
  }

  /// Size of the picture that a model is shown.
  private func side(of model: InputSpecification, height: Int, width: Int) -> (height: Int, width: Int) {
    func side(_ pixels: Int) -> Int {
      if model.size == input.size { return pixels }
      let scaled = Double(pixels) * Double(model.size) / Double(input.size)
      return max(1, Int((scaled / Double(model.multiple)).rounded())) * model.multiple
    }
    return (side(height), side(width))
  }

  /// One model after the other works.
  public func workingBytes(height: Int, width: Int) -> Double {
    models.map { model in
      let (height, width) = side(of: model.input, height: height, width: width)
      return model.workingBytes(height: height, width: width)
    }.max()!
  }

  public var drawsNoise: Bool { models.contains(where: \.drawsNoise) }

  public func redrawn(seed: UInt64?, draws: Int?) -> CombinedFeatures {
    CombinedFeatures(self, models: models.map { $0.redrawn(seed: seed, draws: draws) })
  }

  /// Of models whose pictures and activations are the same.
  private init(_ other: CombinedFeatures, models: [any ModelFeatures]) {
    (self.models, input, layout) = (models, other.input, other.layout)
  }
}

private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
  var (divisor, rest) = (a, b)
  while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
  return a / divisor * b
}
