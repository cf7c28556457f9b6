import Checkpoints
import TensorCore

// x: [N, T, D]

/// Multi-head self-attention of a vision transformer: `proj(attention(qkv(x)))`, with all q, all k and all v in one linear
/// layer, each head by head (Dosovitskiy et al. 2021; timm's `Attention`).
public struct SelfAttention: Sendable {
  public let heads: Int
  private let qkv: TokenLinear
  private let proj: TokenLinear

  /// Loads `qkv` and `proj` from a scope.
  /// - Parameters:
  ///   - channels: D
  ///   - heads: number of heads, which divides D
  ///   - hasQKVBias: whether `qkv` has a bias
  ///   - weights: where the parameters lie
  public init(channels: Int, heads: Int, hasQKVBias: Bool = true, weights: WeightScope) {
    precondition(heads > 0 && channels % heads == 0, "\(channels) channels in \(heads) heads")
    self.heads = heads
    qkv = TokenLinear(
      inFeatures: channels, outFeatures: 3 * channels, hasBias: hasQKVBias, weights: weights.scope("qkv"))
    proj = TokenLinear(inFeatures: channels, outFeatures: channels, weights: weights.scope("proj"))
  }

  /// `[N, T, D]` gives the same shape, plus `residual`.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil, tape: Tape? = nil) -> Tensor {
    let attended = qkvAttention(qkv(x, tape: tape), heads: heads, order: .new, tape: tape)
    return proj(attended, residual: residual, tape: tape)
  }
}

/// Two linear layers with a GELU between them, for each token.
public struct FeedForward: Sendable {
  private let fc1: TokenLinear
  private let fc2: TokenLinear

  /// Loads `fc1` and `fc2` from a scope.
  /// - Parameters:
  ///   - channels: D
  ///   - hidden: numbers between the layers
  ///   - weights: where the parameters lie
  public init(channels: Int, hidden: Int, weights: WeightScope) {
    fc1 = TokenLinear(inFeatures: channels, outFeatures: hidden, weights: weights.scope("fc1"))
    fc2 = TokenLinear(inFeatures: hidden, outFeatures: channels, weights: weights.scope("fc2"))
  }

  /// `[N, T, D]` gives the same shape, plus `residual`.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil, tape: Tape? = nil) -> Tensor {
    fc2(gelu(fc1(x, tape: tape), tape: tape), residual: residual, tape: tape)
  }
}

/// A block of a vision transformer: `x + attention(norm1(x))`, then `x + mlp(norm2(x))`.
public struct TransformerBlock: Sendable {
  private let norm1: LayerNorm
  private let attention: SelfAttention
  private let norm2: LayerNorm
  private let mlp: FeedForward

  /// Loads `norm1`, `attn`, `norm2` and `mlp` from a scope.
  /// - Parameters:
  ///   - channels: D
  ///   - heads: number of heads, which divides D
  ///   - hidden: numbers between the layers of the MLP
  ///   - eps: of the normalisations
  ///   - weights: where the parameters lie
  public init(channels: Int, heads: Int, hidden: Int, eps: Float = 1e-6, weights: WeightScope) {
    norm1 = LayerNorm(channels: channels, eps: eps, weights: weights.scope("norm1"))
    attention = SelfAttention(channels: channels, heads: heads, weights: weights.scope("attn"))
    norm2 = LayerNorm(channels: channels, eps: eps, weights: weights.scope("norm2"))
    mlp = FeedForward(channels: channels, hidden: hidden, weights: weights.scope("mlp"))
  }

  /// `[N, T, D]` gives the same shape.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    let hidden = attention(norm1(x, tape: tape), residual: x, tape: tape)
    return mlp(norm2(hidden, tape: tape), residual: hidden, tape: tape)
  }
}
