/// Elements that one thread takes at a time in element-wise kernels.
package let elementwiseBlock = 1 << 15

extension Tensor {
  /// Sum of two tensors of the same shape.
  public static func + (left: Tensor, right: Tensor) -> Tensor {
    left.combined(with: right) { $0 + $1 }
  }

  /// Difference of two tensors of the same shape.
  public static func - (left: Tensor, right: Tensor) -> Tensor {
    left.combined(with: right) { $0 - $1 }
  }

  /// Product of two tensors of the same shape, element by element.
  public static func * (left: Tensor, right: Tensor) -> Tensor {
    left.combined(with: right) { $0 * $1 }
  }

  /// Every element times a number.
  public static func * (left: Tensor, right: Float) -> Tensor {
    left.mapped { $0 * right }
  }

  /// `body` of every element.
  @inline(__always)
  package func mapped(_ body: (Float) -> Float) -> Tensor {
    Tensor(shape: shape) { y in
      withPointers(self) { x in
        parallelFor(count, inBlocksOf: elementwiseBlock) { range in
          for index in range { y[index] = body(x[index]) }
        }
      }
    }
  }

  /// `body` of every pair of elements.
  @inline(__always)
  package func combined(with other: Tensor, _ body: (Float, Float) -> Float) -> Tensor {
    precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
    return Tensor(shape: shape) { y in
      withPointers(self, other) { a, b in
        parallelFor(count, inBlocksOf: elementwiseBlock) { range in
          for index in range { y[index] = body(a[index], b[index]) }
        }
      }
    }
  }
}

/// Tensors of the same shape `[…]` as one of `[tensors.count, …]`.
public func stack(_ tensors: [Tensor]) -> Tensor {
  precondition(!tensors.isEmpty, "nothing to stack")
  let shape = tensors[0].shape
  let size = tensors[0].count
  return Tensor(shape: [tensors.count] + shape) { y in
    for (index, tensor) in tensors.enumerated() {
      precondition(tensor.shape == shape, "shapes \(shape) and \(tensor.shape) differ")
      withPointers(tensor) { (y + index * size).update(from: $0, count: size) }
    }
  }
}

extension Tensor {
  /// Element `index` of the first dimension: `[N, …]` gives `[…]`.
  public func slice(_ index: Int) -> Tensor {
    precondition(rank >= 1 && index >= 0 && index < shape[0], "slice \(index) of the shape \(shape)")
    let size = count / shape[0]
    return Tensor(shape: Array(shape.dropFirst())) { y in
      withPointers(self) { y.update(from: $0 + index * size, count: size) }
    }
  }
}
