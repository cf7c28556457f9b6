/// Gradients of one scalar with respect to tensors.
public struct Gradients {
  private var tensors: [TensorIdentity: Tensor] = [:]
  /// Records how sums of gradients come about; nil where nobody wants their gradients.
  private let tape: Tape?

  /// None yet.
  public init() { self.init(recordingOn: nil) }

  init(recordingOn tape: Tape?) { self.tape = tape }

  /// The gradient with respect to a tensor; nil where the scalar does not depend on it.
  public subscript(_ tensor: Tensor) -> Tensor? {
    tensors[tensor.identity]?.reshaped(tensor.shape)
  }

  /// Adds to the gradient with respect to a tensor.
  public mutating func add(_ gradient: Tensor, to tensor: Tensor) {
    precondition(gradient.count == tensor.count, "gradient \(gradient.shape) of \(tensor.shape)")
    add(gradient, to: tensor.identity)
  }

  /// Adds to the gradient with respect to the kernel that a weight was made from, `[O, C, kh, kw]`.
  public mutating func add(_ gradient: Tensor, to weight: ConvolutionWeight) {
    precondition(
      gradient.count == weight.shape.reduce(1, *), "gradient \(gradient.shape) of a weight \(weight.shape)")
    add(gradient, to: weight.identity)
  }

  private mutating func add(_ gradient: Tensor, to identity: TensorIdentity) {
    // Out of the dictionary while it is written, so that it need not be copied.
    if let tape, let before = tensors[identity] {
      let sum = before + gradient.reshaped(before.shape)
      tape.record(sum) { slope, gradients, _ in
        gradients.add(slope, to: before)
        gradients.add(slope, to: gradient)
      }
      tensors[identity] = sum
    } else if var sum = tensors.removeValue(forKey: identity) {
      sum.add(gradient)
      tensors[identity] = sum
    } else {
      tensors[identity] = gradient
    }
  }

  /// Removes and returns a gradient.
  mutating func take(_ identity: TensorIdentity) -> Tensor? { tensors.removeValue(forKey: identity) }
}

extension Tensor {
  /// Adds the elements of a tensor of as many elements.
  package mutating func add(_ other: Tensor) {
    precondition(count == other.count, "\(other.shape) added to \(shape)")
    let count = count
    withMutablePointer { sum in
      withPointers(other) { other in
        parallelFor(count, inBlocksOf: elementwiseBlock) { range in
          for i in range { sum[i] += other[i] }
        }
      }
    }
  }
}
