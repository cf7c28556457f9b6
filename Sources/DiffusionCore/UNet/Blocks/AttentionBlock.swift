import Checkpoints
import Layers
import TensorCore

/// Self-attention over the positions of a picture (`unet.py`, `AttentionBlock`):
/// `x + projection(attention(qkv(normalise(x))))`.
public struct AttentionBlock: Sendable {
  public var norm: GroupNorm
  public var qkv: Conv1d
  public var projection: Conv1d
  public let heads: Int
  public let order: AttentionOrder

  /// Loads `norm`, `qkv` and `proj_out`.
  /// - Precondition: the heads divide the channels.
  public init(channels: Int, heads: Int, order: AttentionOrder, weights: WeightScope) {
    precondition(heads > 0 && channels % heads == 0, "\(channels) channels in \(heads) heads")
    norm = GroupNorm(groups: UNetConfiguration.normGroups, channels: channels, weights: weights.scope("norm"))
    qkv = Conv1d(inChannels: channels, outChannels: 3 * channels, weights: weights.scope("qkv"))
    projection = Conv1d(inChannels: channels, outChannels: channels, weights: weights.scope("proj_out"))
    self.heads = heads
    self.order = order
  }

  /// `[N, H, W, channels]` gives the same shape.
  public func callAsFunction(_ x: Tensor, tape: Tape? = nil) -> Tensor {
    precondition(x.rank == 4, "attention block of \(x.shape)")
    let flat = x.reshaped([x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    let joined = qkv(norm(ConvolutionInput(flat)), tape: tape)
    let attended = qkvAttention(joined, heads: heads, order: order)
    tape?.record(attended) { [heads, order] gradient, gradients in
      gradients.add(qkvAttentionBackward(gradient, qkv: joined, heads: heads, order: order), to: joined)
    }
    return projection(ConvolutionInput(attended), residual: flat, tape: tape).reshaped(x.shape)
  }
}
