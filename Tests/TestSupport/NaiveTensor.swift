import TensorCore

/// A tensor in double precision for kernels that are written to be obviously right.
public struct NaiveTensor: Sendable {
  public var shape: [Int]
  public var elements: [Double]

  public init(_ elements: [Double], shape: [Int]) {
    precondition(elements.count == shape.reduce(1, *))
    self.shape = shape
    self.elements = elements
  }

  public init(zeros shape: [Int]) {
    self.init([Double](repeating: 0, count: shape.reduce(1, *)), shape: shape)
  }

  public init(_ tensor: Tensor) {
    self.init(tensor.elements.map(Double.init), shape: tensor.shape)
  }

  /// Element at the given place, or zero outside.
  public subscript(padded indices: Int...) -> Double {
    zip(indices, shape).allSatisfy { $0 >= 0 && $0 < $1 } ? elements[position(indices)] : 0
  }

  public subscript(_ indices: Int...) -> Double {
    get { elements[position(indices)] }
    set { elements[position(indices)] = newValue }
  }

  private func position(_ indices: [Int]) -> Int {
    zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }
  }
}
