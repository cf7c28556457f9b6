/// What a forward pass leaves behind for its backward pass.
///
/// Kernels do not know of it. A layer that is given a tape records, for each tensor that it makes, how the gradient
/// at that tensor goes on to the tensors it was made from. Without a tape nothing is recorded, and no activation is
/// held longer than the next layer needs it.
///
/// A tensor is recognised by its memory, so that one which is read under another shape is still the same; its
/// gradient has the shape that its maker gave it.
public final class Tape {
  private struct Step {
    let output: TensorIdentity
    let shape: [Int]
    let backward: (_ gradient: Tensor, _ gradients: inout Gradients) -> Void
  }
  private var steps: [Step] = []
  private var constants: Set<TensorIdentity> = []
  /// Of this pass; every random choice in it takes a stream of its own.
  private var random: Philox
  private let isRecording: Bool

  /// - Parameter random: for layers that draw random numbers in training
  public convenience init(random: Philox = Philox(seed: 0)) {
    self.init(random: random, isRecording: true)
  }

  private init(random: Philox, isRecording: Bool) {
    self.random = random
    self.isRecording = isRecording
  }

  /// Records how a tensor was made.
  /// - Parameter backward: adds to the gradients of what `output` was made from, given the gradient at it
  public func record(
    _ output: Tensor, backward: @escaping (_ gradient: Tensor, _ gradients: inout Gradients) -> Void
  ) {
    if isRecording { steps.append(Step(output: output.identity, shape: output.shape, backward: backward)) }
  }

  /// Declares that nobody wants the gradient of a tensor, so that it need not be computed.
  public func markConstant(_ tensor: Tensor) { constants.insert(tensor.identity) }

  /// Whether the gradient of a tensor may be wanted.
  public func wantsGradient(of tensor: Tensor) -> Bool { !constants.contains(tensor.identity) }

  /// A generator that nobody else in this pass has.
  public func nextRandom() -> Philox {
    Philox(seed: random.next())
  }

  /// Runs part of a forward pass without keeping its activations; the backward pass runs it again
  /// (Chen et al. 2016, "Training deep nets with sublinear memory cost").
  ///
  /// Parts may lie within parts; every level of them is run once more.
  /// - Parameter body: the part, which gives the same tensor each time
  public func recomputing(_ body: @escaping (Tape) -> Tensor) -> Tensor {
    // A part within a part draws from a stream of its own too, whether its activations are kept or not: otherwise what
    // comes after it would draw other numbers the second time.
    let random = Philox(seed: self.random.next())
    let output = body(Tape(random: random, isRecording: false))
    guard isRecording else { return output }
    record(output) { gradient, gradients in
      let tape = Tape(random: random)
      let again = body(tape)
      tape.propagate(gradient, at: again, into: &gradients)
    }
    return output
  }

  /// Gradients of a scalar, from its gradient at `output`. The tape is used up.
  public func gradients(at output: Tensor, _ gradient: Tensor) -> Gradients {
    var gradients = Gradients()
    propagate(gradient, at: output, into: &gradients)
    return gradients
  }

  private func propagate(_ gradient: Tensor, at output: Tensor, into gradients: inout Gradients) {
    precondition(gradient.count == output.count, "gradient \(gradient.shape) at \(output.shape)")
    gradients.add(gradient, to: output)
    // Each step lets go of its activations when it is done.
    while let step = steps.popLast() {
      guard let gradient = gradients.take(step.output) else { continue }
      step.backward(gradient.reshaped(step.shape), &gradients)
    }
  }
}
