import DiffusionSegmentation
import TensorCore

/// Single kernels on random tensors, at the sizes of the networks.
public enum KernelWorkloads {
  /// A 3×3 convolution of stride 1.
  public struct Convolution: Sendable, CustomStringConvertible {
    public var inChannels: Int
    public var outChannels: Int
    public var side: Int

    /// Those that the LSUN network spends its time in, from full resolution down.
    public static let ofNetwork = [
      Convolution(inChannels: 256, outChannels: 256, side: 256),
      Convolution(inChannels: 512, outChannels: 256, side: 128),
      Convolution(inChannels: 256, outChannels: 256, side: 128),
      Convolution(inChannels: 512, outChannels: 512, side: 64),
      Convolution(inChannels: 1024, outChannels: 512, side: 32),
      Convolution(inChannels: 1024, outChannels: 1024, side: 16),
      Convolution(inChannels: 2048, outChannels: 1024, side: 8),
    ]

    public var description: String { "\(inChannels) to \(outChannels) channels, \(side)×\(side)" }

    public func prepare() -> () -> Tensor {
      let x = ConvolutionInput(random([1, side, side, inChannels]))
      let weight = ConvolutionWeight(
        random([outChannels, inChannels, 3, 3]),
        algorithm: .fastest(inChannels: inChannels, outChannels: outChannels, height: side, width: side))
      let bias = random([outChannels])
      return { conv2d(x, weight: weight, bias: bias, padding: 1) }
    }
  }

  /// Group norm with SiLU of `[1, side, side, channels]`.
  public static func groupNormalisation(channels: Int, side: Int) -> () -> Tensor {
    let x = random([1, side, side, channels])
    let (weight, bias) = (random([channels]), random([channels]))
    return { groupNorm(x, groups: 32, weight: weight, bias: bias, applyingSiLU: true) }
  }

  /// Attention over `side * side` positions.
  public static func attention(channels: Int, headChannels: Int, side: Int) -> () -> Tensor {
    let qkv = random([1, side * side, 3 * channels])
    return { qkvAttention(qkv, heads: channels / headChannels, order: .legacy) }
  }

  /// Bilinear upsampling of `[1, channels, side, side]`.
  public static func bilinear(channels: Int, side: Int, target: Int) -> () -> Tensor {
    let x = random([1, channels, side, side])
    return { resizeBilinear(x, height: target, width: target) }
  }

  private static func random(_ shape: [Int]) -> Tensor {
    var generator = Philox(seed: UInt64(shape.count)).split(UInt64(shape[0]))
    return generator.normal(shape: shape)
  }
}
