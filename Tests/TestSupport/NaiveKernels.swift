import Foundation
import TensorCore

/// 2-D convolution by its definition. x: `[N, C, H, W]`, weight: `[O, C, kh, kw]`.
public func naiveConv2d(
  _ x: NaiveTensor, weight: NaiveTensor, bias: NaiveTensor?, stride: Int, padding: Padding2D,
  dilation: Int = 1
) -> NaiveTensor {
  let (kh, kw) = (weight.shape[2], weight.shape[3])
  let height = (x.shape[2] + padding.top + padding.bottom - dilation * (kh - 1) - 1) / stride + 1
  let width = (x.shape[3] + padding.left + padding.right - dilation * (kw - 1) - 1) / stride + 1
  var y = NaiveTensor(zeros: [x.shape[0], weight.shape[0], height, width])
  for n in 0..<x.shape[0] {
    for o in 0..<weight.shape[0] {
      for row in 0..<height {
        for column in 0..<width {
          var sum = bias?[o] ?? 0
          for c in 0..<x.shape[1] {
            for ky in 0..<kh {
              for kx in 0..<kw {
                sum +=
                  weight[o, c, ky, kx]
                  * x[
                    padded: n, c, row * stride + ky * dilation - padding.top,
                    column * stride + kx * dilation - padding.left]
              }
            }
          }
          y[n, o, row, column] = sum
        }
      }
    }
  }
  return y
}

/// Group normalisation by its definition, with modulation and SiLU. x: `[N, C, L]`.
public func naiveGroupNorm(
  _ x: NaiveTensor, groups: Int, weight: NaiveTensor, bias: NaiveTensor, eps: Double, scale: NaiveTensor?,
  shift: NaiveTensor?, applyingSiLU: Bool
) -> NaiveTensor {
  var y = x
  let (channels, length) = (x.shape[1], x.shape[2])
  let size = channels / groups
  for n in 0..<x.shape[0] {
    for group in 0..<groups {
      let members = group * size..<(group + 1) * size
      let values = members.flatMap { c in (0..<length).map { x[n, c, $0] } }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      for c in members {
        for l in 0..<length {
          var value = (x[n, c, l] - mean) / (variance + eps).squareRoot() * weight[c] + bias[c]
          if let scale, let shift { value = value * (1 + scale[n, c]) + shift[n, c] }
          y[n, c, l] = applyingSiLU ? value / (1 + exp(-value)) : value
        }
      }
    }
  }
  return y
}

/// Attention by its definition. qkv: `[N, 3·H·D, T]`; `start` gives the first channel of q, k or v of a head.
public func naiveAttention(
  _ qkv: NaiveTensor, heads: Int, start: (_ part: Int, _ head: Int, _ depth: Int) -> Int
) -> NaiveTensor {
  let (length, depth) = (qkv.shape[2], qkv.shape[1] / (3 * heads))
  var y = NaiveTensor(zeros: [qkv.shape[0], heads * depth, length])
  for n in 0..<qkv.shape[0] {
    for head in 0..<heads {
      let (q, k, v) = (start(0, head, depth), start(1, head, depth), start(2, head, depth))
      for target in 0..<length {
        let scores = (0..<length).map { source in
          (0..<depth).reduce(0) { $0 + qkv[n, q + $1, target] * qkv[n, k + $1, source] }
            / Double(depth).squareRoot()
        }
        let largest = scores.max()!
        let weights = scores.map { exp($0 - largest) }
        let total = weights.reduce(0, +)
        for d in 0..<depth {
          y[n, head * depth + d, target] = (0..<length).reduce(0) {
            $0 + weights[$1] / total * qkv[n, v + d, $1]
          }
        }
      }
    }
  }
  return y
}

/// Bilinear interpolation without corner alignment by its definition. x: `[N, C, h, w]`.
public func naiveResizeBilinear(_ x: NaiveTensor, height: Int, width: Int) -> NaiveTensor {
  func taps(_ index: Int, _ source: Int, _ target: Int) -> (Int, Int, Double) {
    let position = max(0, (Double(index) + 0.5) * Double(source) / Double(target) - 0.5)
    let low = min(Int(position), source - 1)
    return (low, min(low + 1, source - 1), position - Double(low))
  }
  var y = NaiveTensor(zeros: [x.shape[0], x.shape[1], height, width])
  for n in 0..<x.shape[0] {
    for c in 0..<x.shape[1] {
      for row in 0..<height {
        for column in 0..<width {
          let (top, bottom, below) = taps(row, x.shape[2], height)
          let (left, right, beside) = taps(column, x.shape[3], width)
          y[n, c, row, column] =
            (x[n, c, top, left] * (1 - beside) + x[n, c, top, right] * beside) * (1 - below)
            + (x[n, c, bottom, left] * (1 - beside) + x[n, c, bottom, right] * beside) * below
        }
      }
    }
  }
  return y
}
