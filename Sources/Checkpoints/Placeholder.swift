import TensorCore
public struct WeightScope { public var file = ""; public var path = ""
 public func scope(_ s: String) -> WeightScope { self }
 public func tensor(_ s: String, shape: [Int]) throws(DataError) -> Tensor { Tensor(zeros: shape) }
 public func finish() throws(DataError) {} }
