import Base
import Checkpoints
import Layers
import TensorCore

// pictures: [N, H, W, C]   L patches of P pixels a side   D channels of the encoder, d of the decoder

/// A vision transformer that sees some patches of a picture, and a smaller one that paints the others
/// (He et al. 2022, "Masked Autoencoders Are Scalable Vision Learners").
public struct MaskedAutoencoder: Sendable {
  public let configuration: MAEConfiguration
  private let patches: PatchEmbedding
  private let classToken: Tensor
  /// `[1 + L, D]`, never trained.
  private let positions: Tensor
  private let blocks: [TransformerBlock]
  private let norm: LayerNorm
  private let decoder: MAEDecoder?

  /// Loads a network from a scope, under the names of facebookresearch/mae.
  /// - Parameters:
  ///   - configuration: the architecture
  ///   - weights: where the parameters lie
  public init(_ configuration: MAEConfiguration, weights: WeightScope) {
    self.configuration = configuration
    let encoder = configuration.encoder
    patches = PatchEmbedding(
      inChannels: configuration.inChannels, channels: encoder.channels, patchSize: configuration.patchSize,
      weights: weights.scope("patch_embed"))
    classToken = weights.tensor("cls_token", shape: [1, 1, encoder.channels])
    positions = weights.positions("pos_embed", grid: configuration.grid, channels: encoder.channels)
    blocks = (0..<encoder.depth).map { encoder.block(weights.scope("blocks").scope($0)) }
    norm = LayerNorm(channels: encoder.channels, eps: 1e-6, weights: weights.scope("norm"))
    decoder = configuration.decoder.map { MAEDecoder($0, of: configuration, weights: weights) }
  }

  /// Tokens of all patches with their positions, before any block, `[N, L, D]`; and the class token's position.
  private func embed(_ pictures: Tensor, tape: Tape?) -> (tokens: Tensor, classPosition: Tensor) {
    let (rows, columns) = (
      pictures.shape[1] / configuration.patchSize, pictures.shape[2] / configuration.patchSize
    )
    let table = PositionEmbedding.resampled(
      positions, grid: configuration.grid, rows: rows, columns: columns)
    let width = configuration.encoder.channels
    let elements = table.elements
    let tokens = adding(
      Tensor(Array(elements[width...]), shape: [rows * columns, width]), to: patches(pictures, tape: tape),
      tape: tape)
    return (tokens, Tensor(Array(elements[..<width]), shape: [1, 1, width]))
  }

  /// Tokens with the class token in front.
  private func withClassToken(
    _ tokens: Tensor, sources: [[TokenSource]], position: Tensor, tape: Tape?
  ) -> Tensor {
    let first = adding(position.reshaped([1, position.count]), to: classToken, tape: tape)
    return arranged(tokens, shared: first, sources: sources.map { [.shared] + $0 }, tape: tape)
  }

  /// Tokens after some blocks, of all patches.
  /// - Parameters:
  ///   - chosen: numbers of blocks, from 0
  ///   - pictures: `[N, H, W, C]`, sides multiples of the patch size
  /// - Returns: `[N, 1 + L, D]` each, the class token first, in the order of `chosen`; before the last normalisation
  public func outputs(of chosen: [Int], for pictures: Tensor) -> [Tensor] {
    precondition(chosen.allSatisfy(blocks.indices.contains), "outputs of blocks \(chosen) of \(blocks.count)")
    let (tokens, position) = embed(pictures, tape: nil)
    let all = (0..<tokens.shape[1]).map { TokenSource.input($0) }
    var hidden = withClassToken(
      tokens, sources: [[TokenSource]](repeating: all, count: pictures.shape[0]), position: position,
      tape: nil)
    var found: [Int: Tensor] = [:]
    for index in 0...(chosen.max() ?? 0) {
      hidden = blocks[index](hidden)
      if chosen.contains(index) { found[index] = hidden }
    }
    return chosen.map { found[$0]! }
  }

  /// Encodes the patches that masks keep.
  /// - Parameters:
  ///   - pictures: `[N, H, W, C]`
  ///   - masks: one a picture, all with as many patches
  ///   - tape: where to record; nil for inference
  ///   - visit: given the tokens after each block
  /// - Returns: `[N, 1 + kept, D]` after the last normalisation, the class token first, in the order of the masks
  public func encode(
    _ pictures: Tensor, masks: [TokenMask], tape: Tape? = nil,
    visit: (_ block: Int, _ tokens: Tensor) -> Void = { _, _ in }
  ) -> Tensor {
    let (tokens, position) = embed(pictures, tape: tape)
    var hidden = withClassToken(
      tokens, sources: masks.map { $0.kept.map { .input($0) } }, position: position, tape: tape)
    for (index, block) in blocks.enumerated() {
      hidden = block(hidden, tape: tape)
      visit(index, hidden)
    }
    return norm(hidden, tape: tape)
  }

  /// Paints all patches of pictures from what the encoder made of some.
  /// - Parameters:
  ///   - latent: `[N, 1 + kept, D]`
  ///   - masks: those that it was encoded with
  ///   - tape: where to record; nil for inference
  ///   - visit: given the tokens after each block
  /// - Returns: `[N, 1 + L, P·P·C]`: a row for the class token, which means nothing, then each patch's pixels by row,
  ///   column and channel
  /// - Precondition: the network has a decoder.
  public func decode(
    _ latent: Tensor, masks: [TokenMask], tape: Tape? = nil,
    visit: (_ block: Int, _ tokens: Tensor) -> Void = { _, _ in }
  ) -> Tensor {
    guard let decoder else { preconditionFailure("decoding without a decoder") }
    return decoder(latent, masks: masks, tape: tape, visit: visit)
  }
}

/// The part of a masked autoencoder that paints the patches which were removed.
struct MAEDecoder: Sendable {
  private let embedding: TokenLinear
  private let maskToken: Tensor
  /// `[1 + L, d]`, never trained.
  private let positions: Tensor
  private let blocks: [TransformerBlock]
  private let norm: LayerNorm
  private let prediction: TokenLinear

  init(_ stack: MAEConfiguration.Stack, of configuration: MAEConfiguration, weights: WeightScope) {
    let patch = configuration.patchSize * configuration.patchSize * configuration.inChannels
    embedding = TokenLinear(
      inFeatures: configuration.encoder.channels, outFeatures: stack.channels,
      weights: weights.scope("decoder_embed"))
    maskToken = weights.tensor("mask_token", shape: [1, 1, stack.channels])
    positions = weights.positions("decoder_pos_embed", grid: configuration.grid, channels: stack.channels)
    blocks = (0..<stack.depth).map { stack.block(weights.scope("decoder_blocks").scope($0)) }
    norm = LayerNorm(channels: stack.channels, eps: 1e-6, weights: weights.scope("decoder_norm"))
    prediction = TokenLinear(
      inFeatures: stack.channels, outFeatures: patch, weights: weights.scope("decoder_pred"))
  }

  func callAsFunction(
    _ latent: Tensor, masks: [TokenMask], tape: Tape?, visit: (_ block: Int, _ tokens: Tensor) -> Void
  ) -> Tensor {
    let all = arranged(
      embedding(latent, tape: tape), shared: maskToken, sources: masks.map(\.decoderSources), tape: tape)
    var hidden = adding(positions, to: all, tape: tape)
    for (index, block) in blocks.enumerated() {
      hidden = block(hidden, tape: tape)
      visit(index, hidden)
    }
    return prediction(norm(hidden, tape: tape), tape: tape)
  }
}

extension MAEConfiguration.Stack {
  fileprivate func block(_ weights: WeightScope) -> TransformerBlock {
    TransformerBlock(channels: channels, heads: heads, hidden: hidden, weights: weights)
  }
}

extension WeightScope {
  /// A table of positions, `[1 + grid², channels]`. The file's own is taken, whatever rule it was made by.
  fileprivate func positions(_ name: String, grid: Int, channels: Int) -> Tensor {
    let table = tensor(name, shape: [1, 1 + grid * grid, channels])
    return table.count == (1 + grid * grid) * channels
      ? table.reshaped([1 + grid * grid, channels]) : Tensor(zeros: [1 + grid * grid, channels])
  }
}
