import Checkpoints
import TensorCore

// x: [N, T, D]   context: [N, S, E]

/// Activations inside a transformer that can be looked at, under the names of the checkpoints: `attn1.to_q`, `ff`. What is
/// looked at is computed, also where a shorter way would leave it out.
public typealias TransformerVisitor = (_ name: String, _ activation: Tensor) -> Void

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
  ///   - visit: given queries, keys and values, `[N, T, inner]` or `[N, S, inner]`
  public func callAsFunction(
    _ x: Tensor, context: Tensor? = nil, residual: Tensor? = nil, tape: Tape? = nil,
    visit: TransformerVisitor? = nil
  ) -> Tensor {
    let source = context ?? x
    if let context, Self.isDecided(by: context, tape: tape, visit: visit) {
      return adding(context, to: residual, like: x)
    }
    let (q, k, v) = (toQ(x, tape: tape), toK(source, tape: tape), toV(source, tape: tape))
    if let visit { for (name, part) in [("to_q", q), ("to_k", k), ("to_v", v)] { visit(name, part) } }
    let attended = attention(q, k, v, heads: heads, tape: tape)
    return toOut(attended, residual: residual, tape: tape)
  }

  /// Whether the context decides alone: of one token every share is 1, whatever asks. A training takes the long way, on
  /// which gradients of zero reach the layers that ask.
  static func isDecided(by context: Tensor?, tape: Tape?, visit: TransformerVisitor?) -> Bool {
    context?.shape[1] == 1 && tape == nil && visit == nil
  }

  /// The same numbers for all tokens of a sample, plus `residual`.
  private func adding(_ token: Tensor, to residual: Tensor?, like x: Tensor) -> Tensor {
    let (samples, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    let found = toOut(toV(token))
    return Tensor(shape: x.shape) { y in
      withPointers(residual ?? Tensor(zeros: x.shape), found) { x, found in
        parallelFor(samples * tokens, inBlocksOf: max(1, elementwiseBlock / max(1, width))) { rows in
          for row in rows {
            let added = found + row / tokens * width
            for c in 0..<width { y[row * width + c] = x[row * width + c] + added[c] }
          }
        }
      }
    }
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
  /// - Parameters:
  ///   - x: the tokens
  ///   - context: `[N, S, E]`; nil where the block looks at the tokens themselves
  ///   - tape: where to record; nil for inference
  ///   - visit: given activations inside
  public func callAsFunction(
    _ x: Tensor, context: Tensor?, tape: Tape? = nil, visit: TransformerVisitor? = nil
  ) -> Tensor {
    func inside(_ name: String) -> TransformerVisitor? {
      visit.map { visit in { visit("\(name).\($0)", $1) } }
    }
    var x = attn1(norms[0](x, tape: tape), residual: x, tape: tape, visit: inside("attn1"))
    let isDecided = CrossAttention.isDecided(by: context, tape: tape, visit: visit)
    let asking = isDecided ? x : norms[1](x, tape: tape)
    x = attn2(asking, context: context, residual: x, tape: tape, visit: inside("attn2"))
    guard let visit else { return feedForward(norms[2](x, tape: tape), residual: x, tape: tape) }
    let change = feedForward(norms[2](x, tape: tape), tape: tape)
    visit("ff", change)
    return sum(change, x, tape: tape)
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
  ///   - visit: given activations inside, of tokens row by row
  public func callAsFunction(
    _ x: Tensor, context: Tensor? = nil, tape: Tape? = nil, visit: TransformerVisitor? = nil
  ) -> Tensor {
    let flat = x.reshaped([x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    var tokens = projIn(norm(ConvolutionInput(flat)), tape: tape)
    for (index, block) in blocks.enumerated() {
      let name = "transformer_blocks.\(index)"
      tokens = block(
        tokens, context: context, tape: tape,
        visit: visit.map { visit in { visit("\(name).\($0)", $1) } })
      visit?(name, tokens)
    }
    return projOut(tokens, residual: flat, tape: tape).reshaped(x.shape)
  }
}
