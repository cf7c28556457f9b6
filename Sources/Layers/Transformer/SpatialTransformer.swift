import Checkpoints
import TensorCore

// x: [N, T, D]   context: [N, S, E]

/// Attention of tokens over a context, or over themselves (`CrossAttention` of latent-diffusion).
public struct CrossAttention: Sendable {
  public let heads: Int
  private let toQ: TokenLinear
  private let toK: TokenLinear
  private let toV: TokenLinear
  private let toOut: TokenLinear

  /// Loads `to_q`, `to_k`, `to_v` and `to_out.0` from a scope.
  /// - Parameters:
  ///   - channels: D
  ///   - contextChannels: E; nil for attention of the tokens over themselves
  ///   - heads: number of heads
  ///   - headChannels: channels of a head
  ///   - weights: where the parameters lie
  public init(
    channels: Int, contextChannels: Int? = nil, heads: Int, headChannels: Int, weights: WeightScope
  ) {
    self.heads = heads
    let inner = heads * headChannels
    func layer(_ name: String, from inFeatures: Int) -> TokenLinear {
      TokenLinear(
        inFeatures: inFeatures, outFeatures: inner, hasBias: false, weights: weights.scope(name))
    }
    toQ = layer("to_q", from: channels)
    toK = layer("to_k", from: contextChannels ?? channels)
    toV = layer("to_v", from: contextChannels ?? channels)
    toOut = TokenLinear(inFeatures: inner, outFeatures: channels, weights: weights.scope("to_out.0"))
  }

  /// `[N, T, D]` gives the same shape, plus `residual`.
  /// - Parameters:
  ///   - x: the tokens that ask
  ///   - context: the tokens that are looked at, `[N, S, E]`; nil for x itself
  ///   - residual: added, of the result's shape
  ///   - tape: where to record; nil for inference
  public func callAsFunction(
    _ x: Tensor, context: Tensor? = nil, residual: Tensor? = nil, tape: Tape? = nil
  ) -> Tensor {
    let source = context ?? x
    if let context, context.shape[1] == 1 { return adding(context, to: residual, like: x, tape: tape) }
    let attended = attention(
      toQ(x, tape: tape), toK(source, tape: tape), toV(source, tape: tape), heads: heads, tape: tape)
    return toOut(attended, residual: residual, tape: tape)
  }

  /// Of a context of one token every share is 1, whatever asks: the same numbers for all tokens.
  private func adding(_ token: Tensor, to residual: Tensor?, like x: Tensor, tape: Tape?) -> Tensor {
    let found = toOut(toV(token, tape: tape), tape: tape)
    return addingToEach(found, to: residual ?? Tensor(zeros: x.shape), tape: tape)
  }
}

/// Two linear layers with a GEGLU between them, for each token (`FeedForward` of latent-diffusion).
public struct GatedFeedForward: Sendable {
  private let proj: TokenLinear
  private let out: TokenLinear
  /// Numbers between the layers, for each number of a token.
  private static let multiple = 4

  /// Loads `net.0.proj` and `net.2` from a scope.
  /// - Parameters:
  ///   - channels: D
  ///   - weights: where the parameters lie
  public init(channels: Int, weights: WeightScope) {
    let inner = Self.multiple * channels
    proj = TokenLinear(inFeatures: channels, outFeatures: 2 * inner, weights: weights.scope("net.0.proj"))
    out = TokenLinear(inFeatures: inner, outFeatures: channels, weights: weights.scope("net.2"))
  }

  /// `[N, T, D]` gives the same shape, plus `residual`.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil, tape: Tape? = nil) -> Tensor {
    out(geglu(proj(x, tape: tape), tape: tape), residual: residual, tape: tape)
  }
}

/// `x + attn1(norm1(x))`, `x + attn2(norm2(x), context)`, `x + ff(norm3(x))` (`BasicTransformerBlock` of
/// latent-diffusion).
public struct ContextTransformerBlock: Sendable {
  private let norms: [LayerNorm]
  private let attn1: CrossAttention
  private let attn2: CrossAttention
  private let feedForward: GatedFeedForward

  /// Loads `norm1` to `norm3`, `attn1`, `attn2` and `ff` from a scope.
  /// - Parameters:
  ///   - channels: D
  ///   - contextChannels: E; nil where there is no context, and both look at the tokens themselves
  ///   - heads: number of heads
  ///   - headChannels: channels of a head
  ///   - weights: where the parameters lie
  public init(
    channels: Int, contextChannels: Int?, heads: Int, headChannels: Int, weights: WeightScope
  ) {
    norms = (1...3).map { LayerNorm(channels: channels, eps: 1e-5, weights: weights.scope("norm\($0)")) }
    attn1 = CrossAttention(
      channels: channels, heads: heads, headChannels: headChannels, weights: weights.scope("attn1"))
    attn2 = CrossAttention(
      channels: channels, contextChannels: contextChannels, heads: heads, headChannels: headChannels,
      weights: weights.scope("attn2"))
    feedForward = GatedFeedForward(channels: channels, weights: weights.scope("ff"))
  }

  /// `[N, T, D]` gives the same shape.
  public func callAsFunction(_ x: Tensor, context: Tensor?, tape: Tape? = nil) -> Tensor {
    var x = attn1(norms[0](x, tape: tape), residual: x, tape: tape)
    // What asks makes no difference to a context of one token.
    let asking = context?.shape[1] == 1 ? x : norms[1](x, tape: tape)
    x = attn2(asking, context: context, residual: x, tape: tape)
    return feedForward(norms[2](x, tape: tape), residual: x, tape: tape)
  }
}

/// Transformer blocks over the pixels of a picture: normalise, 1×1 convolution, blocks, 1×1 convolution, plus the input
/// (`SpatialTransformer` of latent-diffusion).
public struct SpatialTransformer: Sendable {
  private let norm: GroupNorm
  private let projIn: TokenLinear
  private let blocks: [ContextTransformerBlock]
  private let projOut: TokenLinear

  /// Loads `norm`, `proj_in`, `transformer_blocks` and `proj_out` from a scope.
  /// - Parameters:
  ///   - channels: of the picture
  ///   - contextChannels: numbers of a token of the context; nil for none
  ///   - heads: number of heads
  ///   - headChannels: channels of a head; the tokens have `heads · headChannels`
  ///   - depth: number of blocks
  ///   - weights: where the parameters lie
  public init(
    channels: Int, contextChannels: Int?, heads: Int, headChannels: Int, depth: Int = 1, weights: WeightScope
  ) {
    let inner = heads * headChannels
    norm = GroupNorm(groups: 32, channels: channels, eps: 1e-6, weights: weights.scope("norm"))
    projIn = TokenLinear(
      inFeatures: channels, outFeatures: inner, isPointwiseConvolution: true,
      weights: weights.scope("proj_in"))
    blocks = (0..<depth).map {
      ContextTransformerBlock(
        channels: inner, contextChannels: contextChannels, heads: heads, headChannels: headChannels,
        weights: weights.scope("transformer_blocks").scope($0))
    }
    projOut = TokenLinear(
      inFeatures: inner, outFeatures: channels, isPointwiseConvolution: true,
      weights: weights.scope("proj_out"))
  }

  /// `[N, H, W, C]` gives the same shape.
  /// - Parameters:
  ///   - x: the picture
  ///   - context: `[N, S, E]`; nil where the blocks look at the picture itself
  ///   - tape: where to record; nil for inference
  public func callAsFunction(_ x: Tensor, context: Tensor? = nil, tape: Tape? = nil) -> Tensor {
    let flat = x.reshaped([x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    var tokens = projIn(norm(ConvolutionInput(flat)), tape: tape)
    for block in blocks { tokens = block(tokens, context: context, tape: tape) }
    return projOut(tokens, residual: flat, tape: tape).reshaped(x.shape)
  }
}
