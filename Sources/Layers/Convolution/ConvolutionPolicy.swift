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
  /// fastest need more, the layers that lose least by it do with smaller weights.
  public var memoryBudget: Int
  /// The same as a multiple of what they take in the file, at least 1. Where it is given, weights may also be transformed
  /// for each picture, and not be kept in that form. Nil for no such limit.
  public var memoryFactor: Double?

  /// - Parameters:
  ///   - precision: how convolutions round
  ///   - imageSize: side of the pictures that the choice is made for, in pixels
  ///   - memoryBudget: bytes that the weights may take
  ///   - memoryFactor: the same as a multiple of what they take in the file, at least 1; nil for no such limit
  public init(
    precision: Precision = .fast, imageSize: Int = 256, memoryBudget: Int = 3 << 30,
    memoryFactor: Double? = nil
  ) {
    self.precision = precision
    self.imageSize = imageSize
    self.memoryBudget = memoryBudget
    self.memoryFactor = memoryFactor
  }
}

/// A 3×3 convolution of stride 1 over pictures of `side × side` pixels.
package struct PlannedConvolution: Sendable {
  package var inChannels: Int
  package var outChannels: Int
  package var side: Int

  package init(inChannels: Int, outChannels: Int, side: Int) {
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.side = side
  }
}

/// Chooses an algorithm for every convolution of a network.
package struct ConvolutionChooser {
  private let policy: ConvolutionPolicy
  /// What the budget leaves to layers with pictures of this side; nothing where it leaves all.
  private var limits: [Int: ConvolutionAlgorithm] = [:]

  package init(_ policy: ConvolutionPolicy, convolutions: [PlannedConvolution]) {
    self.policy = policy
    let groups = Dictionary(grouping: convolutions, by: \.side)
    var budget = Double(policy.memoryBudget)
    var candidates: [ConvolutionAlgorithm] = [.winograd2, .im2col]
    if let factor = policy.memoryFactor {
      budget = min(budget, factor * cost(convolutions, limit: .im2col).bytes)
      candidates.append(.winograd4Remade)
    }
    while cost(convolutions).bytes > budget {
      // The step down that loses the least time for the memory it saves.
      var best: (side: Int, limit: ConvolutionAlgorithm, price: Double)?
      for (side, group) in groups.sorted(by: { $0.key < $1.key }) {
        for limit in candidates {
          let (now, then) = (cost(group), cost(group, limit: limit))
          guard then.bytes < now.bytes else { continue }
          let price = (then.seconds - now.seconds) / (now.bytes - then.bytes)
          if best.map({ price < $0.price }) ?? true { best = (side, limit, price) }
        }
      }
      guard let best else { return }
      limits[best.side] = best.limit
    }
  }

  package func algorithm(_ convolution: PlannedConvolution) -> ConvolutionAlgorithm {
    algorithm(convolution, limit: limits[convolution.side])
  }

  private func algorithm(
    _ convolution: PlannedConvolution, limit: ConvolutionAlgorithm?
  ) -> ConvolutionAlgorithm {
    guard policy.precision == .fast else { return .im2col }
    let fastest = ConvolutionAlgorithm.fastest(
      inChannels: convolution.inChannels, outChannels: convolution.outChannels, height: convolution.side,
      width: convolution.side)
    // What is not worth the transforms is not worth them for each picture either.
    guard let limit, limit.keptWeights < fastest.keptWeights else { return fastest }
    return limit
  }

  /// Expected time, and memory of the weights. In floating point, where the sizes that a hostile file tells
  /// cannot overflow.
  private func cost(
    _ convolutions: [PlannedConvolution], limit: ConvolutionAlgorithm? = nil
  ) -> (seconds: Double, bytes: Double) {
    convolutions.reduce((0, 0)) { sum, convolution in
      let limit = limit ?? limits[convolution.side]
      let cost = algorithm(convolution, limit: limit).cost(
        inChannels: convolution.inChannels, outChannels: convolution.outChannels, height: convolution.side,
        width: convolution.side)
      return (sum.0 + cost.seconds, sum.1 + cost.bytes)
    }
  }
}
