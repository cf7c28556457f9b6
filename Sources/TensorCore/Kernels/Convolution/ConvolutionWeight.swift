import Synchronization

// weight: [O, C, kh, kw]

/// The weights of a convolution in the form that its algorithm reads.
///
/// They are brought into that form when they are first needed, once; the original is released then, so that a network
/// does not hold both, and a part of a network that never runs costs nothing. `winograd4Remade` keeps the original instead.
public final class ConvolutionWeight: Sendable {
  public let outChannels: Int
  public let inChannels: Int
  public let kernelHeight: Int
  public let kernelWidth: Int
  public let algorithm: ConvolutionAlgorithm

  private struct State {
    /// Nil once it was released.
    var original: Tensor?
    var prepared: Tensor?
    var flipped: ConvolutionWeight?
    var isTrained = false
  }
  private let state: Mutex<State>
  /// That of the tensor it was made from.
  let identity: TensorIdentity
  /// The order of the packed weights.
  let order: PackedOrder

  /// - Parameters:
  ///   - weight: `[O, C, kh, kw]`, or `[O, C, k]` for one dimension
  ///   - algorithm: Winograd algorithms are for 3×3 kernels
  public convenience init(_ weight: Tensor, algorithm: ConvolutionAlgorithm) {
    self.init(weight, shape: weight.shape, algorithm: algorithm)
  }

  /// - Parameters:
  ///   - shape: that the weight has, or should have: the stand-in for a weight that a file lacks may have
  ///     another, as long as it is not used
  ///   - usesBLAS: whether products are left to OpenBLAS, whatever the processor
  package init(
    _ weight: Tensor, shape: [Int], algorithm: ConvolutionAlgorithm, usesBLAS: Bool = false
  ) {
    precondition(shape.count == 3 || shape.count == 4, "convolution weight \(shape)")
    outChannels = shape[0]
    inChannels = shape[1]
    kernelHeight = shape.count == 4 ? shape[2] : 1
    kernelWidth = shape[shape.count - 1]
    precondition(
      algorithm == .im2col || (kernelHeight == 3 && kernelWidth == 3),
      "\(algorithm) with weight \(shape)")
    self.algorithm = algorithm
    // Im2col writes to where there are no columns to spare.
    let isWhole = algorithm != .im2col || outChannels % PackedOrder.panels.columnMultiple == 0
    order = usesBLAS || !isWhole ? .rowMajor : .fastest
    identity = weight.identity
    state = Mutex(State(original: weight))
  }

  /// `[O, C, kh, kw]`
  public var shape: [Int] { [outChannels, inChannels, kernelHeight, kernelWidth] }

  /// Transformed weights that are in memory at a time where they are not kept. Fewer would have the input transformed more
  /// often.
  private static let remadeNumbers = 16 << 20

  /// The original where what is made from it is not kept.
  private var unkept: Tensor? {
    state.withLock { state in algorithm.isRemade && !state.isTrained ? state.original : nil }
  }

  /// Calls `body` with output channels and their weights, for all of them in turn: all at once, or, where weights are not
  /// kept, so many as `remadeNumbers` allows.
  func forEachPrepared(_ body: (_ outputs: Range<Int>, _ weight: UnsafePointer<Float>) -> Void) {
    guard let original = unkept else {
      return withPointers(prepared) { body(0..<outChannels, $0) }
    }
    let unit = winogradColumns(1, order: order)
    let numbers = algorithm.frequencies * wholeLanes(inChannels)
    let step = max(1, Self.remadeNumbers / numbers / unit) * unit
    for first in stride(from: 0, to: outChannels, by: step) {
      let outputs = first..<min(outChannels, first + step)
      let weight = winogradWeight(
        original, outputs: outputs, tile: WinogradTile4.self, order: order, isPassing: true)
      withPointers(weight) { body(outputs, $0) }
    }
  }

  /// Im2col: `[kh, kw, C, O]`. Winograd: `[frequencies, C, O]`, both channels rounded up. Packed as `order` says.
  private var prepared: Tensor {
    state.withLock { state in
      if let prepared = state.prepared { return prepared }
      // There is one or the other.
      let weight = state.original!
      let prepared = prepare(weight)
      state.prepared = prepared
      if !state.isTrained {
        weight.discardPages()
        state.original = nil
      }
      return prepared
    }
  }

  private var releasedMessage: String {
    "the unpacked weight \(shape) was released; call keepForTraining() before the first inference"
  }

  /// Keeps the original beside what is made from it: the gradient at the input needs it in another form.
  /// - Precondition: no convolution has been computed with it, or it was kept then too.
  public func keepForTraining() {
    state.withLock { state in
      precondition(state.original != nil, releasedMessage)
      state.isTrained = true
    }
  }

  /// The weights `[C, O, kh, kw]` of the convolution that takes gradients from the output to the input: channels
  /// swapped, the kernel turned by 180°.
  /// - Precondition: the original was kept.
  func flipped(algorithm: ConvolutionAlgorithm) -> ConvolutionWeight {
    state.withLock { state in
      if let flipped = state.flipped, flipped.algorithm == algorithm { return flipped }
      guard let weight = state.original else {
        preconditionFailure(releasedMessage)
      }
      let flipped = ConvolutionWeight(flip(weight), algorithm: algorithm)
      state.flipped = flipped
      return flipped
    }
  }

  /// `[O, C, taps]` to `[C, O, taps]` with the taps in reverse.
  private func flip(_ weight: Tensor) -> Tensor {
    let taps = kernelHeight * kernelWidth
    return Tensor(shape: [inChannels, outChannels, kernelHeight, kernelWidth]) { y in
      withPointers(weight) { weight in
        parallelFor(inChannels) { c in
          for o in 0..<outChannels {
            let (from, to) = (weight + (o * inChannels + c) * taps, y + (c * outChannels + o) * taps)
            for tap in 0..<taps { to[tap] = from[taps - 1 - tap] }
          }
        }
      }
    }
  }

  private func prepare(_ weight: Tensor) -> Tensor {
    precondition(
      weight.count == shape.reduce(1, *), "weight \(weight.shape) in the place of one of \(shape)")
    switch algorithm {
    case .im2col: return patchOrder(weight)
    case .winograd2: return winogradWeight(weight, tile: WinogradTile2.self, order: order)
    case .winograd4, .winograd4Remade: return winogradWeight(weight, tile: WinogradTile4.self, order: order)
    }
  }

  /// `[O, C, taps]` to `[taps · C, O]`.
  private func patchOrder(_ weight: Tensor) -> Tensor {
    let taps = kernelHeight * kernelWidth
    let rows = taps * inChannels
    // So many outputs lie together in any order.
    let block = 32
    return Tensor(shape: [rows, outChannels]) { target in
      withPointers(weight) { weight in
        parallelFor(outChannels, inBlocksOf: block) { outputs in
          for c in 0..<inChannels {
            for tap in 0..<taps {
              let place = order.place(
                row: tap * inChannels + c, column: outputs.lowerBound, rows: rows, columns: outChannels)
              let from = weight + (outputs.lowerBound * inChannels + c) * taps + tap
              for o in 0..<outputs.count { target[place + o] = from[o * rows] }
            }
          }
        }
      }
    }
  }
}
