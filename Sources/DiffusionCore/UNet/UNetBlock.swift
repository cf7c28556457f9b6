import Checkpoints
import Layers
import TensorCore

/// One entry of `input_blocks`, `output_blocks`, or the middle (`TimestepEmbedSequential`).
struct UNetBlock: Sendable {
  enum Layer: Sendable {
    case conv(Conv2d)
    case residual(ResBlock)
    case attention(AttentionBlock)
    case transformer(SpatialTransformer)
    case downsample(Downsample)
    case upsample(Upsample)
  }

  var layers: [Layer]

  /// - Parameter side: of the pictures that the convolutions are chosen for; on return that of the output
  init(
    _ plan: [UNetPlan.Layer], configuration: UNetConfiguration, isUpsampling: Bool,
    chooser: ConvolutionChooser, side: inout Int, weights: WeightScope
  ) {
    let usesConvolution = configuration.resampling == .convolution
    layers = plan.enumerated().map { index, layer in
      let weights = weights.scope(index)
      let newSide = layer.side(after: side)
      side = newSide
      func algorithm(_ inChannels: Int, _ outChannels: Int) -> ConvolutionAlgorithm {
        chooser.algorithm(
          PlannedConvolution(inChannels: inChannels, outChannels: outChannels, side: newSide))
      }
      switch layer {
      case .conv(let inChannels, let outChannels):
        return .conv(
          Conv2d(
            inChannels: inChannels, outChannels: outChannels, kernelSize: 3, padding: 1,
            algorithm: algorithm(inChannels, outChannels), weights: weights))
      case .residual(let channels, let outChannels, let resampling):
        return .residual(
          ResBlock(
            channels: channels, outChannels: outChannels, embeddingChannels: configuration.embeddingChannels,
            usesScaleShiftNorm: configuration.usesScaleShiftNorm, resampling: resampling,
            algorithm: algorithm, weights: weights))
      case .attention(let channels):
        let heads = configuration.attention.headCount(channels: channels, isUpsampling: isUpsampling)
        return .attention(
          AttentionBlock(
            channels: channels, heads: heads, order: configuration.attention.order, weights: weights))
      case .transformer(let channels):
        let heads = configuration.headShape(channels: channels)!
        return .transformer(
          SpatialTransformer(
            channels: channels, contextChannels: configuration.transformer?.contextChannels,
            heads: heads.count, headChannels: heads.width, depth: configuration.transformer?.depth ?? 1,
            weights: weights))
      case .downsample(let channels):
        return .downsample(Downsample(channels: channels, usesConvolution: usesConvolution, weights: weights))
      case .upsample(let channels):
        return .upsample(
          Upsample(
            channels: channels, usesConvolution: usesConvolution, algorithm: algorithm(channels, channels),
            weights: weights))
      }
    }
  }

  /// `[N, H, W, C]` gives `[N, H', W', C']`.
  /// - Parameter visit: given each layer's output, and what is inside of transformers
  func callAsFunction(
    _ x: ConvolutionInput, siluEmbedding: Tensor, context: Tensor? = nil, pass: TrainingPass? = nil,
    visit: TransformerVisitor? = nil
  ) -> Tensor {
    let tape = pass?.tape
    return layers.enumerated().reduce(x) { hidden, layer in
      let next = self.output(
        of: layer.element, for: hidden, siluEmbedding: siluEmbedding, context: context, pass: pass,
        visit: visit.map { visit in { visit("\(layer.offset).\($0)", $1) } })
      visit?("\(layer.offset)", next.tensor(tape))
      return next
    }.tensor(tape)
  }

  private func output(
    of layer: Layer, for hidden: ConvolutionInput, siluEmbedding: Tensor, context: Tensor?,
    pass: TrainingPass?, visit: TransformerVisitor?
  ) -> ConvolutionInput {
    let tape = pass?.tape
    switch layer {
    case .conv(let conv):
      return ConvolutionInput(conv(hidden, tape: tape))
    case .residual(let block):
      guard let pass else { return ConvolutionInput(block(hidden, siluEmbedding: siluEmbedding)) }
      return ConvolutionInput(
        pass.block { tape in
          block(hidden, siluEmbedding: siluEmbedding, dropout: pass.dropout, tape: tape)
        })
    case .attention(let block):
      return ConvolutionInput(block(hidden.tensor(tape), tape: tape))
    case .transformer(let block):
      return ConvolutionInput(block(hidden.tensor(tape), context: context, tape: tape, visit: visit))
    case .downsample(let downsample):
      return ConvolutionInput(downsample(hidden.tensor(tape), tape: tape))
    case .upsample(let upsample):
      return ConvolutionInput(upsample(hidden.tensor(tape), tape: tape))
    }
  }
}
