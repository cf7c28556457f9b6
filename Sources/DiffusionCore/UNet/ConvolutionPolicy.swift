import TensorCore

/// How a network computes its 3×3 convolutions.
public struct ConvolutionPolicy: Sendable, Equatable {
  public enum Precision: String, Sendable, CaseIterable {
    /// The fastest algorithm for each layer; F(4×4) Winograd rounds to about 1.5e-6 a layer.
    case fast
    /// Products with all patches everywhere: about 4e-7 a layer, at half the speed.
    case reference
  }

  public var precision: Precision
  /// Side of the pictures that the choice is made for, in pixels. Others come out as well, perhaps slower.
  public var imageSize: Int
  /// Bytes that the weights of all 3×3 convolutions may take in the form that their algorithms read. Where the
  /// fastest need more, the layers with the smallest pictures, which gain least, do with smaller weights.
  public var memoryBudget: Int

  public init(precision: Precision = .fast, imageSize: Int = 256, memoryBudget: Int = 3 << 30) {
    self.precision = precision
    self.imageSize = imageSize
    self.memoryBudget = memoryBudget
  }
}

/// A 3×3 convolution of stride 1 over pictures of `side × side` pixels.
struct PlannedConvolution {
  var inChannels: Int
  var outChannels: Int
  var side: Int
}

/// Chooses an algorithm for every convolution of a network.
struct ConvolutionChooser {
  private let policy: ConvolutionPolicy
  /// What the budget leaves to layers with pictures of this side; nothing where it leaves all.
  private var limits: [Int: ConvolutionAlgorithm] = [:]

  init(_ policy: ConvolutionPolicy, convolutions: [PlannedConvolution]) {
    self.policy = policy
    for side in Set(convolutions.map(\.side)).sorted() {
      for limit in [ConvolutionAlgorithm.winograd2, .im2col] {
        if bytes(convolutions) <= Double(policy.memoryBudget) { return }
        limits[side] = limit
      }
    }
  }

  func algorithm(_ convolution: PlannedConvolution) -> ConvolutionAlgorithm {
    guard policy.precision == .fast else { return .im2col }
    let side = convolution.side
    let fastest = ConvolutionAlgorithm.fastest(
      inChannels: convolution.inChannels, outChannels: convolution.outChannels, height: side, width: side)
    guard let limit = limits[side], limit.frequencies < fastest.frequencies else { return fastest }
    return limit
  }

  /// In floating point, where the sizes that a hostile file tells cannot overflow.
  private func bytes(_ convolutions: [PlannedConvolution]) -> Double {
    convolutions.reduce(0) { sum, convolution in
      sum + 4 * Double(algorithm(convolution).frequencies) * Double(convolution.inChannels)
        * Double(convolution.outChannels)
    }
  }
}
