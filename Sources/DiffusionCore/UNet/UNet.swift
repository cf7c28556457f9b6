import Base
import Checkpoints
import Layers
import TensorCore

/// The U-Net of guided-diffusion (Dhariwal and Nichol 2021; `unet.py`, `UNetModel`), and that of latent diffusion (Rombach
/// et al. 2022; `openaimodel.py`), which may look at a context.
///
/// Pictures are `[N, C, H, W]` as everywhere in the field; activations inside are channel-last, `[N, H, W, C]`.
public struct UNet: Sendable {
  public let configuration: UNetConfiguration
  public var timeEmbedding: TimeEmbedding
  var inputBlocks: [UNetBlock]
  var middleBlock: UNetBlock
  var outputBlocks: [UNetBlock]
  var outNorm: GroupNorm
  var outConv: Conv2d

  /// A place whose activation can be looked at.
  public enum Place: Sendable, Hashable {
    /// The time embedding, without the class: `[N, embeddingChannels]`.
    case timeEmbedding
    /// After `input_blocks.k`.
    case inputBlock(Int)
    case middleBlock
    /// After `output_blocks.k`, with the attention and the upsampling at the end of a level.
    case outputBlock(Int)
  }

  /// Loads the network from the scope that holds its state dict.
  /// - Parameters:
  ///   - configuration: shape of the network
  ///   - weights: the scope of the network, from which every tensor must be taken
  ///   - convolutions: decides speed and memory, and results no further than by rounding
  /// - Throws: `DataError` when the configuration cannot be, or naming every tensor that is missing, left over
  ///   or of another shape.
  public init(
    _ configuration: UNetConfiguration, weights: WeightScope, convolutions: ConvolutionPolicy = .init()
  ) throws(DataError) {
    try configuration.validate(file: weights.report.file)
    self.init(unchecked: configuration, weights: weights, convolutions: convolutions)
    try weights.finish()
  }

  /// The network with whatever the scope has of it.
  init(
    unchecked configuration: UNetConfiguration, weights: WeightScope,
    convolutions policy: ConvolutionPolicy = .init()
  ) {
    self.configuration = configuration
    let plan = UNetPlan(configuration)
    let chooser = ConvolutionChooser(policy, convolutions: plan.convolutions(imageSize: policy.imageSize))
    var side = policy.imageSize
    timeEmbedding = TimeEmbedding(
      modelChannels: configuration.modelChannels, embeddingChannels: configuration.embeddingChannels,
      classCount: configuration.classCount, weights: weights)
    func blocks(_ layers: [[UNetPlan.Layer]], _ name: String, isUpsampling: Bool) -> [UNetBlock] {
      layers.enumerated().map { index, layers in
        UNetBlock(
          layers, configuration: configuration, isUpsampling: isUpsampling, chooser: chooser, side: &side,
          weights: weights.scope(name).scope(index))
      }
    }
    inputBlocks = blocks(plan.inputBlocks, "input_blocks", isUpsampling: false)
    middleBlock = UNetBlock(
      plan.middleBlock, configuration: configuration, isUpsampling: false, chooser: chooser, side: &side,
      weights: weights.scope("middle_block"))
    outputBlocks = blocks(plan.outputBlocks, "output_blocks", isUpsampling: true)
    outNorm = GroupNorm(
      groups: UNetConfiguration.normGroups, channels: plan.finalChannels, weights: weights.scope("out.0"))
    outConv = Conv2d(
      inChannels: plan.finalChannels, outChannels: configuration.outChannels, kernelSize: 3, padding: 1,
      algorithm: chooser.algorithm(
        PlannedConvolution(
          inChannels: plan.finalChannels, outChannels: configuration.outChannels, side: side)),
      weights: weights.scope("out.2"))
  }

  /// The network's output.
  /// - Parameters:
  ///   - x: `[N, inChannels, H, W]`; H and W are multiples of `configuration.sizeMultiple`
  ///   - timesteps: one a sample, as the network saw them in training
  ///   - classes: one a sample for a class-conditional network
  ///   - context: `[N, tokens, contextChannels]` for a network with transformers
  ///   - pass: records what the gradients of the parameters and of the context need, and those of the picture where it
  ///     says so
  ///   - observe: called with each place's activation as it comes, `[N, h, w, channels]`
  ///   - visit: given what is inside of blocks, under the names of the checkpoints: outputs of layers
  ///     (`output_blocks.4.1`), and of parts of transformers, `[N, tokens, channels]`
  /// - Returns: `[N, outChannels, H, W]`
  public func callAsFunction(
    _ x: Tensor, timesteps: [Float], classes: [Int]? = nil, context: Tensor? = nil,
    training pass: TrainingPass? = nil, observe: (Place, Tensor) -> Void = { _, _ in },
    visit: TransformerVisitor? = nil
  ) -> Tensor {
    let hidden = run(
      x, timesteps: timesteps, classes: classes, context: context, outputBlocks: outputBlocks.count,
      pass: pass, observe: observe, visit: visit)
    let last = outConv(outNorm(ConvolutionInput(hidden), applyingSiLU: true), tape: pass?.tape)
    let output = last.channelsFirst
    pass?.tape.record(output) { gradient, gradients in gradients.add(gradient.channelsLast, to: last) }
    return output
  }

  /// Activations of chosen output blocks. Nothing after the last of them is computed.
  /// - Parameters:
  ///   - x: `[N, inChannels, H, W]`
  ///   - timesteps: one a sample, of the original process; fractions are allowed
  ///   - classes: one a sample for a class-conditional network, else nil
  ///   - context: `[N, tokens, contextChannels]` for a network with transformers, else nil
  ///   - blocks: indices of `output_blocks`
  /// - Returns: one `[N, h, w, C]` for each of `blocks`, each at its own resolution
  public func activations(
    _ x: Tensor, timesteps: [Float], classes: [Int]? = nil, context: Tensor? = nil,
    outputBlocks blocks: [Int]
  ) -> [Tensor] {
    precondition(
      blocks.allSatisfy { $0 >= 0 && $0 < outputBlocks.count },
      "output blocks \(blocks) of \(outputBlocks.count)")
    guard let last = blocks.max() else { return [] }
    let wanted = Set(blocks)
    var found: [Int: Tensor] = [:]
    _ = run(
      x, timesteps: timesteps, classes: classes, context: context, outputBlocks: last + 1, pass: nil
    ) { place, activation in
      if case .outputBlock(let index) = place, wanted.contains(index) { found[index] = activation }
    }
    return blocks.map { found[$0]! }
  }

  /// The network up to `outputBlocks` output blocks.
  private func run(
    _ x: Tensor, timesteps: [Float], classes: [Int]?, context: Tensor?, outputBlocks count: Int,
    pass: TrainingPass?, observe: (Place, Tensor) -> Void, visit: TransformerVisitor? = nil
  ) -> Tensor {
    let multiple = configuration.sizeMultiple
    let contextShape = context.map { [$0.rank, $0.shape[0], $0.shape[$0.rank - 1]] }
    precondition(
      contextShape == configuration.transformer.map { [3, x.shape[0], $0.contextChannels] },
      "a context \(context?.shape ?? []) of pictures \(x.shape) for a U-Net of tokens of"
        + " \(configuration.transformer?.contextChannels ?? 0)")
    precondition(
      x.rank == 4 && x.shape[1] == configuration.inChannels && x.shape[0] == timesteps.count
        && x.shape[2] % multiple == 0 && x.shape[3] % multiple == 0,
      "a U-Net of \(configuration.inChannels) channels and \(configuration.levels) levels was given \(x.shape)"
        + " and \(timesteps.count) timesteps")
    let tape = pass?.tape
    let embedded = timeEmbedding.embed(timesteps: timesteps, tape: tape)
    observe(.timeEmbedding, embedded)
    let siluEmbedding = silu(timeEmbedding.add(classes: classes, to: embedded, tape: tape), tape: tape)
    func inside(_ block: String) -> TransformerVisitor? {
      visit.map { visit in { visit("\(block).\($0)", $1) } }
    }
    var skips: [Tensor] = []
    var hidden = x.channelsLast
    if let tape {
      if pass?.wantsInputGradient == true {
        tape.record(hidden) { gradient, gradients in gradients.add(gradient.channelsFirst, to: x) }
      } else {
        tape.markConstant(hidden)
      }
    }
    for (index, block) in inputBlocks.enumerated() {
      hidden = block(
        ConvolutionInput(hidden), siluEmbedding: siluEmbedding, context: context, pass: pass,
        visit: inside("input_blocks.\(index)"))
      skips.append(hidden)
      observe(.inputBlock(index), hidden)
    }
    hidden = middleBlock(
      ConvolutionInput(hidden), siluEmbedding: siluEmbedding, context: context, pass: pass,
      visit: inside("middle_block"))
    observe(.middleBlock, hidden)
    for (index, block) in outputBlocks.prefix(count).enumerated() {
      let joined = ConvolutionInput(hidden, joinedWith: skips.removeLast())
      hidden = block(
        joined, siluEmbedding: siluEmbedding, context: context, pass: pass,
        visit: inside("output_blocks.\(index)"))
      observe(.outputBlock(index), hidden)
    }
    return hidden
  }
}
