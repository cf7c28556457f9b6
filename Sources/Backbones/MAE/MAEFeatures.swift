import Base
import Checkpoints
import Features
import Images
import TensorCore

/// Outputs of encoder blocks as features, before the last normalisation and without the class token
/// (`FeatureExtractorMAE` of ddpm-segmentation). Nothing is masked, so nothing need be shuffled.
public struct MAEFeatures: ModelFeatures {
  public let model: MAE
  /// Numbers of encoder blocks, in the order of the features.
  public let blocks: [Int]

  /// - Parameters:
  ///   - model: the loaded network
  ///   - blocks: numbers of encoder blocks, from 0
  public init(_ model: MAE, blocks: [Int]) {
    self.model = model
    self.blocks = blocks
  }

  private var configuration: MAEConfiguration { model.network.configuration }

  public var input: InputSpecification {
    // Attention takes the square of the pixels.
    InputSpecification(
      size: model.imageSize, multiple: configuration.patchSize,
      largestPixels: 4 * model.imageSize * model.imageSize, normalization: model.options.normalization)
  }

  public var layout: [FeatureSlot] {
    blocks.enumerated().map { order, block in
      FeatureSlot(
        FeatureKey("block\(block)", order: order), channels: configuration.encoder.channels,
        stride: configuration.patchSize)
    }
  }

  public var origin: ModelOrigin { model.origin }

  public var record: FeatureRecord {
    var selection = MAESelection()
    selection.blocks = blocks
    return FeatureRecord(kind: MAE.kind, options: model.options.record, selection: selection.record)
  }

  public func validate() throws(DataError) {
    let depth = configuration.encoder.depth
    guard !blocks.isEmpty, Set(blocks).count == blocks.count,
      blocks.allSatisfy({ (0..<depth).contains($0) })
    else {
      throw DataError(
        .invalidArgument, file: "--blocks", expected: "encoder blocks, 0 to \(depth - 1), each once",
        found: blocks.isEmpty ? "none" : blocks.map { "\($0)" }.joined(separator: ","))
    }
  }

  public func extract(_ picture: Tensor, _ context: FeatureContext) throws(DataError) -> FeatureMaps {
    try validate()
    try check(picture)
    let patch = configuration.patchSize
    let (rows, columns) = (picture.shape[1] / patch, picture.shape[2] / patch)
    let x = picture.reshaped([1] + picture.shape).channelsLast
    let maps = zip(layout, model.network.outputs(of: blocks, for: x)).map { slot, tokens in
      FeatureMap(
        slot.key, activation: tokens.withoutClassToken(rows: rows, columns: columns),
        precision: context.precision)
    }
    return FeatureMaps(maps: maps, height: picture.shape[1], width: picture.shape[2])
  }

  /// The tokens between the layers of an MLP, queries, keys and values, and some more of the tokens themselves.
  public func workingBytes(height: Int, width: Int) -> Double {
    let patch = Double(configuration.patchSize)
    let tokens = 1 + Double(height) * Double(width) / (patch * patch)
    return 4 * tokens * Double(configuration.encoder.hidden + 8 * configuration.encoder.channels)
  }
}

extension Tensor {
  /// Tokens `[1, 1 + rows · columns, C]` as a map, `[1, rows, columns, C]`.
  fileprivate func withoutClassToken(rows: Int, columns: Int) -> Tensor {
    let width = shape[2]
    return Tensor(shape: [1, rows, columns, width]) { y in
      withPointers(self) { y.update(from: $0 + width, count: rows * columns * width) }
    }
  }
}
