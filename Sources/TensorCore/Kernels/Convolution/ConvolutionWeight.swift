import Synchronization

// weight: [O, C, kh, kw]

/// The weights of a convolution in the form that its algorithm reads.
///
/// They are brought into that form when they are first needed, once; the original is let go then, so that a network
/// does not hold both, and a part of a network that never runs costs nothing.
public final class ConvolutionWeight: Sendable {
  public let outChannels: Int
  public let inChannels: Int
  public let kernelHeight: Int
  public let kernelWidth: Int
  public let algorithm: ConvolutionAlgorithm

  private enum State {
    case original(Tensor)
    case prepared(Tensor)
  }
  private let state: Mutex<State>
  let product: WinogradProduct

  /// - Parameters:
  ///   - weight: `[O, C, kh, kw]`, or `[O, C, k]` for one dimension
  ///   - algorithm: Winograd algorithms are for 3×3 kernels
  public convenience init(_ weight: Tensor, algorithm: ConvolutionAlgorithm) {
    self.init(weight, shape: weight.shape, algorithm: algorithm)
  }

  /// - Parameter shape: that the weight has, or should have: the stand-in for a weight that a file lacks may
  ///   have another, as long as it is not used.
  /// - Parameter usesBLAS: whether Winograd's products are left to OpenBLAS, whatever the processor
  package init(
    _ weight: Tensor, shape: [Int], algorithm: ConvolutionAlgorithm, usesBLAS: Bool = false
  ) {
    product = usesBLAS ? .blas : .fastest
    precondition(shape.count == 3 || shape.count == 4, "convolution weight \(shape)")
    outChannels = shape[0]
    inChannels = shape[1]
    kernelHeight = shape.count == 4 ? shape[2] : 1
    kernelWidth = shape[shape.count - 1]
    precondition(
      algorithm == .im2col || (kernelHeight == 3 && kernelWidth == 3),
      "\(algorithm) with weight \(shape)")
    self.algorithm = algorithm
    // A kernel of one pixel is read as it is stored.
    state = Mutex(kernelHeight * kernelWidth == 1 ? .prepared(weight) : .original(weight))
  }

  /// `[O, C, kh, kw]`
  public var shape: [Int] { [outChannels, inChannels, kernelHeight, kernelWidth] }

  /// Im2col: `[O, kh, kw, C]`. Winograd: `[frequencies, C, O]`, both channels rounded up, in the order
  /// of the product.
  var prepared: Tensor {
    state.withLock { state in
      switch state {
      case .prepared(let tensor): return tensor
      case .original(let weight):
        let tensor = prepare(weight)
        weight.discardPages()
        state = .prepared(tensor)
        return tensor
      }
    }
  }

  private func prepare(_ weight: Tensor) -> Tensor {
    precondition(
      weight.count == shape.reduce(1, *), "weight \(weight.shape) in the place of one of \(shape)")
    return transform(weight)
  }

  private func transform(_ weight: Tensor) -> Tensor {
    switch algorithm {
    case .im2col: patchOrder(weight)
    case .winograd2: winogradWeight(weight, tile: WinogradTile2.self, product: product)
    case .winograd4: winogradWeight(weight, tile: WinogradTile4.self, product: product)
    }
  }

  /// `[O, C, taps]` to `[O, taps, C]`.
  private func patchOrder(_ weight: Tensor) -> Tensor {
    let taps = kernelHeight * kernelWidth
    return Tensor(shape: shape) { target in
      withPointers(weight) { weight in
        parallelFor(outChannels) { o in
          let kernel = o * inChannels * taps
          transpose(
            weight + kernel, rows: inChannels, columns: taps, range: 0..<taps, into: target + kernel)
        }
      }
    }
  }
}
