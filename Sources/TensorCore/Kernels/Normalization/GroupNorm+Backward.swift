import CKernels

// x: [N, P, C], C = C1 + C2   gradient: [N, P, C]   weight, bias: [C]   scale, shift: [N, C]
// pieces of at most 256 of the P pixels   G groups of C / G channels

/// Gradients of a scalar with respect to what `groupNorm` was given.
public struct GroupNormGradients: Sendable {
  /// `[N, …, C1]`
  public var first: Tensor
  /// `[N, …, C2]`, where the input had a second part
  public var second: Tensor?
  /// `[C]`
  public var weight: Tensor
  /// `[C]`
  public var bias: Tensor
  /// `[N, C]` each, where there was a modulation
  public var modulation: ChannelModulation?
}

/// The backward of `groupNorm`, with its modulation and its SiLU.
///
/// With `x̂ = (x - mean) / σ`, `u = x̂ · w (1 + scale) + …` and g the gradient at u,
/// `dx = (w (1 + scale) g - mean(w (1 + scale) g) - x̂ mean(w (1 + scale) g x̂)) / σ`, means over a group.
/// - Parameters:
///   - gradient: at the output, `[N, …, C]`; given away, it is worked in without a copy
///   - input: what was normalised, with its normalisation
public func groupNormBackward(
  _ gradient: consuming Tensor, of input: ConvolutionInput
) -> GroupNormGradients {
  guard let normalization = input.normalization else {
    preconditionFailure("the gradient of a group norm at \(input.shape), which is not normalised")
  }
  let shape = gradient.shape
  precondition(shape == input.shape, "gradient \(shape) of a group norm of \(input.shape)")
  let backward = GroupNormBackward(input: input, normalization: normalization)
  // Where SiLU followed, the sums leave the gradient before it here.
  var inner = consume gradient
  let sums = backward.sums(of: &inner)
  let (parameters, slopes) = backward.parameterGradients(sums)
  let (first, second) = backward.inputGradients(inner, slopes)
  return GroupNormGradients(
    first: first, second: second, weight: parameters.weight, bias: parameters.bias,
    modulation: parameters.modulation)
}

private struct GroupNormBackward {
  let input: ConvolutionInput
  let normalization: ChannelNormalization
  let batch: Int
  let pixels: Int
  let channels: Int
  let pieceSize: Int
  var pieces: Int { (pixels + pieceSize - 1) / pieceSize }

  init(input: ConvolutionInput, normalization: ChannelNormalization) {
    self.input = input
    self.normalization = normalization
    batch = input.shape[0]
    pixels = input.shape.dropFirst().dropLast().reduce(1, *)
    channels = input.channels
    pieceSize = max(16, min(256, pixels / 16))
  }

  /// `Σ g` and `Σ g (x - mean)` over the pixels of every channel of every sample, `[N, C]` each.
  typealias Sums = (gradient: [Double], product: [Double])

  /// - Parameter gradient: at the output; becomes that before SiLU
  func sums(of gradient: inout Tensor) -> Sums {
    var total: Sums = ([Double](repeating: 0, count: batch * channels), [])
    total.product = total.gradient
    let appliedSiLU: Int32 = input.appliesSiLU ? 1 : 0
    withScratch(count: batch * pieces * 2 * channels) { table in
      gradient.withMutablePointer { gradient in
        input.withReader(height: 1, width: pixels) { reader in
          let affine = reader.affine!
          parallelFor(batch * pieces) { item in
            let (n, start) = (item / pieces, item % pieces * pieceSize)
            for part in reader.parts {
              let (row, place) = (n * channels + part.offset, table + item * 2 * channels + part.offset)
              dseg_normalize_gradient_sums(
                dseg_normalize_sums(
                  x: part.base + (n * pixels + start) * part.channels, mean: affine.mean + row,
                  factor: affine.factor + row, offset: affine.offset + row,
                  gradient: gradient + (n * pixels + start) * channels + part.offset, stride: channels,
                  sum: place, product: place + channels, pixels: min(pieceSize, pixels - start),
                  channels: part.channels),
                appliedSiLU)
            }
          }
        }
      }
      for n in 0..<batch {
        for piece in n * pieces..<(n + 1) * pieces {
          let place = table + piece * 2 * channels
          for c in 0..<channels {
            total.gradient[n * channels + c] += Double(place[c])
            total.product[n * channels + c] += Double(place[channels + c])
          }
        }
      }
    }
    return total
  }

  /// What `g` and `x - mean` contribute to the gradient of x besides `factor · g`, `[N, C]` each.
  typealias Slopes = (slope: Tensor, offset: Tensor)

  func parameterGradients(
    _ sums: Sums
  ) -> (parameters: (weight: Tensor, bias: Tensor, modulation: ChannelModulation?), slopes: Slopes) {
    let groups = normalization.inverseDeviations.count / max(batch, 1)
    let groupChannels = channels / max(groups, 1)
    let total = Double(pixels * groupChannels)
    let (weight, bias) = (normalization.weight.elements, normalization.bias.elements)
    let scale = normalization.modulation?.scale.elements
    var weightGradient = [Double](repeating: 0, count: channels)
    var biasGradient = weightGradient
    var scaleGradient = [Float](repeating: 0, count: batch * channels)
    var (shiftGradient, slope, offset) = (scaleGradient, scaleGradient, scaleGradient)
    for n in 0..<batch {
      for group in 0..<groups {
        let inverse = Double(normalization.inverseDeviations[n * groups + group])
        var (mean, meanProduct) = (0.0, 0.0)
        for c in group * groupChannels..<(group + 1) * groupChannels {
          let place = n * channels + c
          let gain = scale.map { 1 + Double($0[place]) } ?? 1
          let (sum, product) = (sums.gradient[place], sums.product[place] * inverse)
          weightGradient[c] += product * gain
          biasGradient[c] += sum * gain
          scaleGradient[place] = Float(product * Double(weight[c]) + sum * Double(bias[c]))
          shiftGradient[place] = Float(sum)
          mean += sum * gain * Double(weight[c])
          meanProduct += product * gain * Double(weight[c])
        }
        for c in group * groupChannels..<(group + 1) * groupChannels {
          slope[n * channels + c] = Float(-inverse * inverse * meanProduct / total)
          offset[n * channels + c] = Float(-inverse * mean / total)
        }
      }
    }
    let shape = [batch, channels]
    let modulation = normalization.modulation.map { _ in
      ChannelModulation(
        scale: Tensor(scaleGradient, shape: shape), shift: Tensor(shiftGradient, shape: shape))
    }
    return (
      (
        Tensor(weightGradient.map { Float($0) }, shape: [channels]),
        Tensor(biasGradient.map { Float($0) }, shape: [channels]), modulation
      ),
      (Tensor(slope, shape: shape), Tensor(offset, shape: shape))
    )
  }

  /// - Parameter gradient: before SiLU
  func inputGradients(_ gradient: Tensor, _ slopes: Slopes) -> (Tensor, Tensor?) {
    func part(_ index: Int, shape: [Int]) -> Tensor {
      Tensor(shape: shape) { y in
        withPointers(gradient, slopes.slope, slopes.offset) { gradient, slope, offset in
          input.withReader(height: 1, width: pixels) { reader in
            let (part, affine) = (reader.parts[index], reader.affine!)
            parallelFor(batch * pieces) { item in
              let (n, start) = (item / pieces, item % pieces * pieceSize)
              let (row, place) = (n * channels + part.offset, (n * pixels + start) * part.channels)
              dseg_normalize_gradient(
                part.base + place, gradient + (n * pixels + start) * channels + part.offset, channels,
                affine.mean + row, affine.factor + row, slope + row, offset + row, y + place,
                min(pieceSize, pixels - start), part.channels)
            }
          }
        }
      }
    }
    return (part(0, shape: input.first.shape), input.second.map { part(1, shape: $0.shape) })
  }
}
