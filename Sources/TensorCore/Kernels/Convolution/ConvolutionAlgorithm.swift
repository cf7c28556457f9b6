/// How a convolution is turned into matrix products.
public enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
  /// One product with the matrix of all patches: any kernel, stride and padding; rounds least.
  case im2col
  /// F(2×2, 3×3): 2.25 times fewer products, weights of 16/9 the size.
  case winograd2
  /// F(4×4, 3×3): 4 times fewer products, weights of 4 times the size; rounds most, relative error 1.5e-6.
  case winograd4
  /// The same numbers with weights that are transformed for each picture and not kept: less memory, more time.
  case winograd4Remade

  /// Products for one tile of outputs of a 3×3 convolution, and weights for them, per pair of channels.
  package var frequencies: Int {
    switch self {
    case .im2col: 9
    case .winograd2: 16
    case .winograd4, .winograd4Remade: 36
    }
  }

  /// Whether weights are transformed for each picture.
  var isRemade: Bool { self == .winograd4Remade }

  /// Weights that are kept, per pair of channels.
  package var keptWeights: Int { isRemade ? 9 : frequencies }

  /// Pixels along the side of a tile of outputs.
  private var tileSize: Int {
    switch self {
    case .im2col: 1
    case .winograd2: 2
    case .winograd4, .winograd4Remade: 4
    }
  }

  /// The algorithm that is expected to take the least time for a 3×3 convolution of stride 1.
  /// - Parameters:
  ///   - inChannels: C
  ///   - outChannels: O
  ///   - height: rows of the output
  ///   - width: columns of the output
  public static func fastest(inChannels: Int, outChannels: Int, height: Int, width: Int) -> Self {
    // Transforms work on whole lanes of channels, which fewer would waste.
    guard inChannels >= wholeLanes(1) else { return .im2col }
    func seconds(_ algorithm: Self) -> Double {
      algorithm.cost(inChannels: inChannels, outChannels: outChannels, height: height, width: width).seconds
    }
    return [.winograd4, .winograd2, .im2col].min { seconds($0) < seconds($1) }!
  }

  /// Expected time of a 3×3 convolution of stride 1 of one picture, and bytes of the weights that are kept.
  ///
  /// Time is that of the products and of streaming the weights from memory, where they are too many to stay in
  /// the cache: few pixels do not pay for the larger weights of large tiles.
  package func cost(
    inChannels: Int, outChannels: Int, height: Int, width: Int
  ) -> (seconds: Double, bytes: Double) {
    let pairs = Double(inChannels) * Double(outChannels)
    let tiles = Double((height + tileSize - 1) / tileSize) * Double((width + tileSize - 1) / tileSize)
    let bytes = 4 * Double(frequencies) * pairs
    let products = 2 * Double(frequencies) * tiles * pairs / Self.productsPerSecond
    let streaming = bytes > Self.cachedBytes ? bytes / Self.bytesPerSecond : 0
    let remaking = isRemade ? pairs / Self.remadePerSecond : 0
    return (products + streaming + remaking, 4 * Double(keptWeights) * pairs)
  }

  // Of a present two-core machine. The choice depends on their ratio only, and on that loosely.
  private static let productsPerSecond = 4e11
  private static let bytesPerSecond = 3e10
  private static let cachedBytes = 8e6
  /// Kernels that are transformed.
  private static let remadePerSecond = 1.5e8
}
