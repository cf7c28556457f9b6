import TensorCore

// Operations on tokens that leave a note on the tape. x: [N, T, D]

package func gelu(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = gelu(x)
  tape?.record(y) { gradient, gradients in gradients.add(geluBackward(gradient, x: x), to: x) }
  return y
}

package func geglu(_ x: Tensor, tape: Tape?) -> Tensor {
  let y = geglu(x)
  tape?.record(y) { gradient, gradients in gradients.add(gegluBackward(gradient, x: x), to: x) }
  return y
}

package func qkvAttention(_ qkv: Tensor, heads: Int, order: AttentionOrder, tape: Tape?) -> Tensor {
  let y = qkvAttention(qkv, heads: heads, order: order)
  tape?.record(y) { gradient, gradients in
    gradients.add(qkvAttentionBackward(gradient, qkv: qkv, heads: heads, order: order), to: qkv)
  }
  return y
}

package func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, tape: Tape?) -> Tensor {
  let y = attention(q, k, v, heads: heads)
  tape?.record(y) { gradient, gradients in
    let found = attentionBackward(gradient, q: q, k: k, v: v, heads: heads)
    gradients.add(found.q, to: q)
    gradients.add(found.k, to: k)
    gradients.add(found.v, to: v)
  }
  return y
}

/// Where a token of a result comes from.
package enum TokenSource: Sendable, Equatable {
  /// Token of the same sample of the input.
  case input(Int)
  /// The token that all samples share.
  case shared
}

/// Tokens in another order, some left out, some a token that all samples share.
/// - Parameters:
///   - x: `[N, T, D]`
///   - shared: `D` numbers of any shape; nil where no source is the shared token
///   - sources: of each sample, as many for each
///   - tape: where to record; nil for inference
/// - Returns: `[N, sources, D]`
package func arranged(
  _ x: Tensor, shared: Tensor? = nil, sources: [[TokenSource]], tape: Tape?
) -> Tensor {
  let (samples, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
  let count = sources.first?.count ?? 0
  precondition(
    sources.count == samples && sources.allSatisfy { $0.count == count }
      && (shared == nil || shared!.count == width),
    "tokens of \(x.shape) arranged as \(sources.count) times \(count)")
  /// Calls `body` with the place of each token of the result and where it comes from.
  func forEach(_ body: (_ place: Int, _ from: Int?) -> Void) {
    for n in 0..<samples {
      for (index, source) in sources[n].enumerated() {
        switch source {
        case .shared: body((n * count + index) * width, nil)
        case .input(let token):
          precondition(0..<tokens ~= token, "token \(token) of \(tokens)")
          body((n * count + index) * width, (n * tokens + token) * width)
        }
      }
    }
  }
  let y = Tensor(shape: [samples, count, width]) { y in
    withPointers(x, shared ?? x) { x, shared in
      forEach { place, from in (y + place).update(from: from.map { x + $0 } ?? shared, count: width) }
    }
  }
  tape?.record(y) { gradient, gradients in
    var (dx, dShared) = (Tensor(zeros: x.shape), Tensor(zeros: shared?.shape ?? [width]))
    dx.withMutablePointer { dx in
      dShared.withMutablePointer { dShared in
        withPointers(gradient) { gradient in
          forEach { place, from in
            let to = from.map { dx + $0 } ?? dShared
            for c in 0..<width { to[c] += gradient[place + c] }
          }
        }
      }
    }
    gradients.add(dx, to: x)
    if let shared { gradients.add(dShared, to: shared) }
  }
  return y
}

/// Each sample's tokens plus rows that all samples share and nobody trains, `[T, D]`.
package func adding(_ rows: Tensor, to x: Tensor, tape: Tape?) -> Tensor {
  precondition(Array(x.shape.suffix(2)) == rows.shape, "\(rows.shape) added to each of \(x.shape)")
  let (samples, size) = (x.shape[0], rows.count)
  let y = Tensor(shape: x.shape) { y in
    withPointers(x, rows) { x, rows in
      for n in 0..<samples {
        parallelFor(size, inBlocksOf: elementwiseBlock) { range in
          for i in range { y[n * size + i] = x[n * size + i] + rows[i] }
        }
      }
    }
  }
  tape?.record(y) { gradient, gradients in gradients.add(gradient, to: x) }
  return y
}
