import Foundation

/// `x Φ(x)` by its definition.
public func naiveGELU(_ x: NaiveTensor) -> NaiveTensor {
  NaiveTensor(x.elements.map { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }, shape: x.shape)
}

/// The first half of the last dimension times the GELU of the second.
public func naiveGEGLU(_ x: NaiveTensor) -> NaiveTensor {
  let width = x.shape.last! / 2
  let gates = naiveGELU(x)
  var y = NaiveTensor(zeros: x.shape.dropLast() + [width])
  for row in 0..<y.elements.count / max(1, width) {
    for c in 0..<width {
      y.elements[row * width + c] =
        x.elements[row * 2 * width + c] * gates.elements[row * 2 * width + width + c]
    }
  }
  return y
}

/// Layer normalisation over the last dimension by its definition.
public func naiveLayerNorm(
  _ x: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor, eps: Double
) -> NaiveTensor {
  let width = x.shape.last!
  var y = x
  for row in 0..<x.elements.count / width {
    let values = x.elements[row * width..<(row + 1) * width]
    let mean = values.reduce(0, +) / Double(width)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
    for c in 0..<width {
      let normalized = (x.elements[row * width + c] - mean) / (variance + eps).squareRoot()
      y.elements[row * width + c] = normalized * weight[c] + bias[c]
    }
  }
  return y
}

/// Attention by its definition. q: `[N, T, H·D]`, k: `[N, S, H·D]`, v: `[N, S, H·E]`.
public func naiveAttention(
  _ q: NaiveTensor, _ k: NaiveTensor, _ v: NaiveTensor, heads: Int
) -> NaiveTensor {
  let (depth, width) = (q.shape[2] / heads, v.shape[2] / heads)
  var y = NaiveTensor(zeros: [q.shape[0], q.shape[1], heads * width])
  for n in 0..<q.shape[0] {
    for head in 0..<heads {
      for t in 0..<q.shape[1] {
        let weights = (0..<k.shape[1]).map { s in
          exp(
            (0..<depth).reduce(0) { $0 + q[n, t, head * depth + $1] * k[n, s, head * depth + $1] }
              / Double(depth).squareRoot())
        }
        let total = weights.reduce(0, +)
        for e in 0..<width {
          y[n, t, head * width + e] = (0..<k.shape[1]).reduce(0) {
            $0 + weights[$1] / total * v[n, $1, head * width + e]
          }
        }
      }
    }
  }
  return y
}

/// The largest value of each window, and which one it is, by the definition. x: `[N, H, W, C]`.
public func naiveMaxPool(
  _ x: NaiveTensor, kernelSize: Int, stride: Int, padding: Int
) -> (y: NaiveTensor, places: [Int]) {
  let height = (x.shape[1] + 2 * padding - kernelSize) / stride + 1
  let width = (x.shape[2] + 2 * padding - kernelSize) / stride + 1
  var y = NaiveTensor(zeros: [x.shape[0], height, width, x.shape[3]])
  var places: [Int] = []
  for n in 0..<x.shape[0] {
    for row in 0..<height {
      for column in 0..<width {
        for c in 0..<x.shape[3] {
          var best = (value: -Double.infinity, place: -1)
          for ky in 0..<kernelSize {
            for kx in 0..<kernelSize {
              let (iy, ix) = (row * stride + ky - padding, column * stride + kx - padding)
              guard iy >= 0, iy < x.shape[1], ix >= 0, ix < x.shape[2] else { continue }
              let place = ((n * x.shape[1] + iy) * x.shape[2] + ix) * x.shape[3] + c
              if x.elements[place] > best.value { best = (x.elements[place], place) }
            }
          }
          y[n, row, column, c] = best.value
          places.append(best.place)
        }
      }
    }
  }
  return (y, places)
}
