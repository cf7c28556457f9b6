/// What a forward pass leaves behind for its backward pass.
///
/// Kernels do not know of it. A layer that is given a tape records, for each tensor that it makes, how the gradient
/// at that tensor goes on to the tensors it was made from. Without a tape nothing is recorded, and no activation is
/// held longer than the next layer needs it.
///
/// A tensor is recognised by its memory, so that one which is read under another shape is still the same; its
/// gradient has the shape that its maker gave it.
///
/// The backward pass can be recorded too, for gradients of gradients (as the penalties of GANs need them): rules that
/// are `recordable` build their gradients from operations that take a tape.
public final class Tape {
  /// Adds to the gradients of what a tensor was made from, given the gradient at it.
  public typealias Backward = (_ gradient: Tensor, _ gradients: inout Gradients) -> Void
  /// The same, with its own operations recorded where there is a tape.
  public typealias RecordableBackward = (
    _ gradient: Tensor, _ gradients: inout Gradients, _ tape: Tape?
  ) -> Void

  private struct Step {
    let output: TensorIdentity
    let shape: [Int]
    let backward: RecordableBackward
  }
  private var steps: [Step] = []
  private var constants: Set<TensorIdentity> = []
  /// Generator of this pass; every random choice in it takes a stream of its own.
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

  /// Records how a tensor was made, for first gradients alone.
  public func record(_ output: Tensor, backward: @escaping Backward) {
    let shape = output.shape
    record(output) { gradient, gradients, tape in
      precondition(tape == nil, "the backward rule of the tensor \(shape) cannot be recorded")
      backward(gradient, &gradients)
    }
  }

  /// Records how a tensor was made, with a rule that can be recorded itself.
  public func record(_ output: Tensor, recordable backward: @escaping RecordableBackward) {
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
    record(output) { gradient, gradients, recorder in
      if let recorder {
        recorder.propagateRecorded(gradient, into: &gradients) {
          recorder.drawing(from: random) { body(recorder) }
        }
        return
      }
      let tape = Tape(random: random)
      let again = body(tape)
      tape.propagate(gradient, at: again, into: &gradients)
    }
    return output
  }

  /// Gradients of a scalar, from its gradient at `output`, recorded on this tape like the forward pass: what is computed
  /// from them has gradients too. The tape stays.
  /// - Precondition: all rules on the way can be recorded.
  public func recordedGradients(at output: Tensor, _ gradient: Tensor) -> Gradients {
    precondition(gradient.count == output.count, "gradient \(gradient.shape) at \(output.shape)")
    var gradients = Gradients(recordingOn: self)
    gradients.add(gradient, to: output)
    propagateRecorded(steps, into: &gradients)
    return gradients
  }

  /// The recorded backward pass of a part that is run again on this tape.
  private func propagateRecorded(
    _ gradient: Tensor, into gradients: inout Gradients, part: () -> Tensor
  ) {
    let start = steps.count
    gradients.add(gradient, to: part())
    propagateRecorded(Array(steps[start...]), into: &gradients)
  }

  private func propagateRecorded(_ steps: [Step], into gradients: inout Gradients) {
    for step in steps.reversed() {
      guard let gradient = gradients.take(step.output) else { continue }
      step.backward(gradient.reshaped(step.shape), &gradients, self)
    }
  }

  /// Runs a part whose random choices come from another generator.
  private func drawing(from random: Philox, _ part: () -> Tensor) -> Tensor {
    let own = self.random
    self.random = random
    defer { self.random = own }
    return part()
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
    // Each step releases its activations when it is done.
    while let step = steps.popLast() {
      guard let gradient = gradients.take(step.output) else { continue }
      step.backward(gradient.reshaped(step.shape), &gradients, nil)
    }
  }
}
