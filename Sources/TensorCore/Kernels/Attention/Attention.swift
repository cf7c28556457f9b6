// q: [N, T, H·D]   k: [N, S, H·D]   v: [N, S, H·E]   y: [N, T, H·E]

/// Scaled dot-product attention of every head: `softmax(q kᵀ / sqrt(D)) v`, each query over all keys.
///
/// Heads are consecutive groups of channels. The weights of a block of queries exist at a time, never all `[T, S]`.
/// - Parameters:
///   - q: queries, `[N, T, heads·D]`
///   - k: keys, `[N, S, heads·D]`
///   - v: values, `[N, S, heads·E]`
///   - heads: number of heads
/// - Returns: `[N, T, heads·E]`
/// Source: Vaswani et al. 2017, equation 1; `torch.nn.functional.scaled_dot_product_attention`.
public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int) -> Tensor {
  let sizes = AttentionSizes(q, k, v, heads: heads)
  return Tensor(shape: sizes.outShape) { y in
    withPointers(q, k, v) { q, k, v in
      sizes.heads(q, k, v).run(into: sizes.mutable(y, positions: sizes.queries, depth: sizes.valueDepth))
    }
  }
}

/// Gradients of `attention`.
public struct AttentionGradients: Sendable {
  /// `[N, T, heads·D]`
  public var q: Tensor
  /// `[N, S, heads·D]`
  public var k: Tensor
  /// `[N, S, heads·E]`
  public var v: Tensor
}

/// Gradients of a scalar with respect to the arguments of `attention`, from its gradient at the output.
/// - Parameters:
///   - gradient: `[N, T, heads·E]`
///   - q: as given to `attention`
///   - k: as given to `attention`
///   - v: as given to `attention`
///   - heads: as given to `attention`
public func attentionBackward(
  _ gradient: Tensor, q: Tensor, k: Tensor, v: Tensor, heads: Int
) -> AttentionGradients {
  let sizes = AttentionSizes(q, k, v, heads: heads)
  precondition(
    gradient.shape == sizes.outShape,
    "gradient \(gradient.shape) of attention of \(q.shape), \(k.shape) and \(v.shape)")
  var (dq, dk, dv) = (Tensor(zeros: q.shape), Tensor(zeros: k.shape), Tensor(zeros: v.shape))
  dq.withMutablePointer { dq in
    dk.withMutablePointer { dk in
      dv.withMutablePointer { dv in
        withPointers(gradient, q) { gradient, q in
          withPointers(k, v) { k, v in
            sizes.heads(q, k, v).runBackward(
              sizes.part(gradient, positions: sizes.queries, depth: sizes.valueDepth),
              into: sizes.mutable(dq, positions: sizes.queries, depth: sizes.depth),
              sizes.mutable(dk, positions: sizes.keys, depth: sizes.depth),
              sizes.mutable(dv, positions: sizes.keys, depth: sizes.valueDepth))
          }
        }
      }
    }
  }
  return AttentionGradients(q: dq, k: dk, v: dv)
}

private struct AttentionSizes {
  let batch: Int
  let headCount: Int
  let queries: Int
  let keys: Int
  let depth: Int
  let valueDepth: Int

  init(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int) {
    precondition(
      q.rank == 3 && k.rank == 3 && v.rank == 3 && heads > 0 && q.shape[0] == k.shape[0]
        && k.shape[0] == v.shape[0] && k.shape[1] == v.shape[1] && k.shape[1] > 0 && q.shape[2] == k.shape[2]
        && q.shape[2] % heads == 0 && v.shape[2] % heads == 0,
      "attention with \(heads) heads of q \(q.shape), k \(k.shape) and v \(v.shape)")
    (batch, headCount, queries, keys) = (q.shape[0], heads, q.shape[1], k.shape[1])
    (depth, valueDepth) = (q.shape[2] / heads, v.shape[2] / heads)
  }

  var outShape: [Int] { [batch, queries, headCount * valueDepth] }

  func part(_ base: UnsafePointer<Float>, positions: Int, depth: Int) -> AttentionPart {
    AttentionPart(
      base: base, positions: positions, stride: headCount * depth, headStride: depth, depth: depth)
  }

  func mutable(_ base: UnsafeMutablePointer<Float>, positions: Int, depth: Int) -> MutableAttentionPart {
    MutableAttentionPart(
      base: base, positions: positions, stride: headCount * depth, headStride: depth, depth: depth)
  }

  func heads(
    _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>
  ) -> AttentionHeads {
    AttentionHeads(
      batch: batch, heads: headCount, q: part(q, positions: queries, depth: depth),
      k: part(k, positions: keys, depth: depth), v: part(v, positions: keys, depth: valueDepth))
  }
}
