// qkv: [N, T, 3·H·D]   y: [N, T, H·D]   H heads of D channels over T positions

/// How the channels of queries, keys and values lie in one tensor.
public enum AttentionOrder: String, Sendable, CaseIterable {
  /// Head by head, each with its q, k and v (`QKVAttentionLegacy` of guided-diffusion).
  case legacy
  /// All q of all heads, then all k, then all v (`QKVAttention`).
  case new
}

/// Scaled dot-product attention of every head over all positions.
///
/// `softmax(q kᵀ / sqrt(D)) v`, with q and k each scaled by `D^(-1/4)` in the reference; the weights of a
/// block of positions exist at a time, never the whole `[T, T]` matrix.
///
/// Source: Vaswani et al. 2017, equation 1; guided-diffusion `unet.py`.
/// - Parameters:
///   - qkv: `[N, T, 3·heads·D]`
///   - heads: number of heads
///   - order: how queries, keys and values lie in the channels
/// - Returns: `[N, T, heads·D]`
public func qkvAttention(_ qkv: Tensor, heads: Int, order: AttentionOrder) -> Tensor {
  let sizes = QKVSizes(qkv, heads: heads, order: order)
  return Tensor(shape: sizes.outShape) { y in
    withPointers(qkv) { qkv in
      sizes.heads(qkv).run(
        into: MutableAttentionPart(
          base: y, positions: sizes.positions, stride: heads * sizes.depth, headStride: sizes.depth,
          depth: sizes.depth))
    }
  }
}

/// Gradient of `qkvAttention` with respect to `qkv`. The weights of a block of positions are computed again.
/// - Parameters:
///   - gradient: `[N, T, heads·D]`
///   - qkv: as given to `qkvAttention`, `[N, T, 3·heads·D]`
///   - heads: number of heads
///   - order: as given to `qkvAttention`
public func qkvAttentionBackward(
  _ gradient: Tensor, qkv: Tensor, heads: Int, order: AttentionOrder
) -> Tensor {
  let sizes = QKVSizes(qkv, heads: heads, order: order)
  precondition(
    gradient.shape == sizes.outShape,
    "gradient \(gradient.shape) of attention with \(heads) heads of \(qkv.shape)")
  return Tensor(shape: qkv.shape) { result in
    withPointers(qkv, gradient) { qkv, gradient in
      func target(_ part: Int) -> MutableAttentionPart {
        MutableAttentionPart(
          base: result + sizes.offset(part), positions: sizes.positions, stride: sizes.stride,
          headStride: sizes.headStride, depth: sizes.depth)
      }
      sizes.heads(qkv).runBackward(
        AttentionPart(
          base: gradient, positions: sizes.positions, stride: heads * sizes.depth, headStride: sizes.depth,
          depth: sizes.depth),
        into: target(0), target(1), target(2))
    }
  }
}

private struct QKVSizes {
  let batch: Int
  let positions: Int
  let headCount: Int
  let depth: Int
  let order: AttentionOrder

  init(_ qkv: Tensor, heads: Int, order: AttentionOrder) {
    precondition(
      qkv.rank == 3 && heads > 0 && qkv.shape[2] % (3 * heads) == 0,
      "attention with \(heads) heads of \(qkv.shape)")
    (batch, positions, headCount) = (qkv.shape[0], qkv.shape[1], heads)
    depth = qkv.shape[2] / (3 * heads)
    self.order = order
  }

  var outShape: [Int] { [batch, positions, headCount * depth] }
  var stride: Int { 3 * headCount * depth }
  var headStride: Int { order == .legacy ? 3 * depth : depth }

  /// First channel of queries, keys or values.
  func offset(_ part: Int) -> Int { order == .legacy ? part * depth : part * headCount * depth }

  func heads(_ qkv: UnsafePointer<Float>) -> AttentionHeads {
    func part(_ index: Int) -> AttentionPart {
      AttentionPart(
        base: qkv + offset(index), positions: positions, stride: stride, headStride: headStride, depth: depth)
    }
    return AttentionHeads(batch: batch, heads: headCount, q: part(0), k: part(1), v: part(2))
  }
}
