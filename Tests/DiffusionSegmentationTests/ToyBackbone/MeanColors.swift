import Base
import Checkpoints
import Features
import Images
import TensorCore

/// The smallest backbone there can be: mean colours of squares at some scales. Its checkpoint is one tensor of the
/// scales' sides.
struct MeanColors: Backbone {
  static let kind = "mean-colors"
  static let summary = "mean colours of squares, for tests"
  static let anchor = "toy.scales"

  struct Options: OptionTable {
    var imageSize = 32
    var isFixedSize = false
    static let options: [TableOption<Options>] = [
      TableOption("image-size", "Side of the pictures.", \.imageSize),
      TableOption("fixed-size", "Whether it takes no others.", \.isFixedSize),
    ]
  }

  struct Selection: OptionTable {
    var scales: [Int] = [1, 4, 16]
    static let options: [TableOption<Selection>] = [TableOption("scales", "Sides of the squares.", \.scales)]
  }

  let options: Options
  let scales: [Int]
  let origin: ModelOrigin

  static func facts(of state: StateDictionary, options: Options) throws(DataError) -> BackboneFacts {
    BackboneFacts(
      rows: [.init("scales", .integer(state.tensors[0].array.count), title: "scales")],
      activationTitle: "scale", activations: [])
  }

  init(
    _ checkpoint: Checkpoint, options: Options, weights: WeightsChoice, notices: Notices
  ) throws(DataError) {
    let (state, origin) = try Self.state(in: checkpoint, weights: weights, notices: notices)
    let scope = WeightScope(state, requiresFinite: true)
    scales = scope.tensor(Self.anchor, shape: [3]).elements.map { Int($0) }
    try scope.finish()
    (self.options, self.origin) = (options, origin)
  }

  func features(
    _ selection: Selection, tensors: [String: Tensor], notices: Notices
  ) throws(DataError) -> any ModelFeatures {
    let features = MeanColorFeatures(model: self, selection: selection)
    try features.validate()
    return features
  }
}

struct MeanColorFeatures: ModelFeatures {
  let model: MeanColors
  let selection: MeanColors.Selection

  var input: InputSpecification {
    InputSpecification(
      size: model.options.imageSize, multiple: selection.scales.max() ?? 1,
      isFixedSize: model.options.isFixedSize, normalization: .imageNet)
  }

  var layout: [FeatureSlot] {
    selection.scales.enumerated().map { order, side in
      FeatureSlot(FeatureKey("scale\(side)", order: order), channels: 3, stride: side)
    }
  }

  var origin: ModelOrigin { model.origin }

  var record: FeatureRecord {
    FeatureRecord(kind: MeanColors.kind, options: model.options.record, selection: selection.record)
  }

  func validate() throws(DataError) {
    guard !selection.scales.isEmpty, Set(selection.scales).isSubset(of: model.scales) else {
      throw DataError(
        .invalidArgument, file: "scales", expected: "some of \(model.scales)", found: "\(selection.scales)")
    }
  }

  func extract(_ picture: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps {
    try validate()
    let (height, width) = (picture.shape[1], picture.shape[2])
    let values = picture.elements
    let maps = layout.map { slot in
      let (rows, columns, side) = (height / slot.stride, width / slot.stride, slot.stride)
      var means = [Float](repeating: 0, count: rows * columns * 3)
      for channel in 0..<3 {
        for y in 0..<rows * side {
          for x in 0..<columns * side {
            means[((y / side) * columns + x / side) * 3 + channel] +=
              values[(channel * height + y) * width + x] / Float(side * side)
          }
        }
      }
      return FeatureMap(
        slot.key, activation: Tensor(means, shape: [1, rows, columns, 3]), precision: context.precision)
    }
    return FeatureMaps(maps: maps, height: height, width: width)
  }
}
