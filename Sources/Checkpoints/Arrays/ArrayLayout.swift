/// Shapes and strides that come from files: all arithmetic is checked, nothing traps.
enum ArrayLayout {
  /// More dimensions than PyTorch or NumPy can make.
  static let maximumRank = 64

  /// The product of the dimensions. Nil for a negative one, for too many, and where the product of those
  /// that are not zero overflows, so that any part of the shape can be multiplied safely.
  static func elementCount(of shape: [Int]) -> Int? {
    guard shape.count <= maximumRank else { return nil }
    var count = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(dimension, 1))
      guard dimension >= 0, !overflow else { return nil }
      count = product
    }
    return shape.contains(0) ? 0 : count
  }

  /// Strides, in elements, of an array whose last index runs fastest.
  /// - Precondition: `elementCount(of: shape)` is not nil.
  static func rowMajorStrides(of shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      // A zero dimension leaves no element to address, so any stride will do.
      strides[axis] = strides[axis + 1] * max(shape[axis + 1], 1)
    }
    return strides
  }

  /// Strides, in elements, of an array whose first index runs fastest (Fortran's order).
  /// - Precondition: `elementCount(of: shape)` is not nil.
  static func columnMajorStrides(of shape: [Int]) -> [Int] {
    Array(rowMajorStrides(of: shape.reversed()).reversed())
  }

  /// How many elements from the first on an array reaches over: one more than the position of its
  /// last element. Nil for a negative stride or an overflow.
  static func extent(shape: [Int], strides: [Int]) -> Int? {
    if shape.contains(0) { return 0 }
    var last = 0
    for (dimension, stride) in zip(shape, strides) {
      let (reach, overflow) = (dimension - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(reach)
      guard stride >= 0, !overflow, !sumOverflow else { return nil }
      last = sum
    }
    let (extent, overflow) = last.addingReportingOverflow(1)
    return overflow ? nil : extent
  }

  /// The same elements in the same order with as few dimensions as possible: dimensions of length one
  /// go, and neighbours that can be walked as one are joined.
  /// - Precondition: the array has at least one element.
  static func simplified(shape: [Int], strides: [Int]) -> (shape: [Int], strides: [Int]) {
    var lengths: [Int] = []
    var steps: [Int] = []
    for (dimension, stride) in zip(shape, strides) where dimension != 1 {
      if let length = lengths.last, let step = steps.last, step == stride &* dimension {
        lengths[lengths.count - 1] = length * dimension
        steps[steps.count - 1] = stride
      } else {
        lengths.append(dimension)
        steps.append(stride)
      }
    }
    return (lengths, steps)
  }
}
