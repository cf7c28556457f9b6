/// A dense array of `Float` in row-major order.
///
/// A value: copies share memory until one of them is written. There are no strides and no views; an
/// operation that rearranges elements makes a new tensor. Images are `[batch, channels, height, width]`.
public struct Tensor: Sendable {
  /// Length of each dimension, outermost first. A scalar has none.
  public private(set) var shape: [Int]
  private var storage: TensorStorage

  /// Number of elements.
  public var count: Int { storage.count }
  /// Number of dimensions.
  public var rank: Int { shape.count }

  /// A tensor whose elements `initializer` must all write.
  /// - Precondition: no dimension is negative and the element count does not overflow.
  public init(unsafeUninitializedShape shape: [Int], initializer: (UnsafeMutableBufferPointer<Float>) -> Void)
  {
    self.shape = shape
    storage = TensorStorage(count: Tensor.elementCount(of: shape))
    initializer(UnsafeMutableBufferPointer(start: storage.base, count: storage.count))
  }

  /// All elements equal to `value`.
  public init(repeating value: Float, shape: [Int]) {
    self.init(unsafeUninitializedShape: shape) { $0.initialize(repeating: value) }
  }

  /// All elements zero.
  public init(zeros shape: [Int]) {
    self.init(repeating: 0, shape: shape)
  }

  /// The given elements in row-major order.
  /// - Precondition: there are as many as `shape` asks for.
  public init<Elements: Collection>(_ elements: Elements, shape: [Int]) where Elements.Element == Float {
    precondition(
      elements.count == Tensor.elementCount(of: shape),
      "\(elements.count) elements do not fill the shape \(shape)")
    self.init(unsafeUninitializedShape: shape) { _ = $0.initialize(from: elements) }
  }

  /// Floats that lie in memory kept alive by `owner`, used without a copy. They are never written:
  /// the first mutation copies them.
  /// - Precondition: `floats` is aligned to 4 bytes and as long as `shape` asks for.
  public init(borrowing floats: UnsafeBufferPointer<Float>, owner: AnyObject, shape: [Int]) {
    precondition(
      floats.count == Tensor.elementCount(of: shape),
      "\(floats.count) elements do not fill the shape \(shape)")
    self.shape = shape
    storage =
      floats.isEmpty ? TensorStorage(count: 0) : TensorStorage(borrowing: floats, owner: owner)
  }

  /// Product of the dimensions.
  /// - Precondition: none is negative and the product does not overflow.
  public static func elementCount(of shape: [Int]) -> Int {
    var count = 1
    for dimension in shape {
      precondition(dimension >= 0, "negative dimension in shape \(shape)")
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      precondition(!overflow, "the shape \(shape) has more elements than can be counted")
      count = product
    }
    return count
  }
}

// MARK: Elements

extension Tensor {
  /// The elements in row-major order, for reading.
  @inline(__always)
  public func withUnsafeBufferPointer<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(start: storage.base, count: storage.count))
  }

  /// The elements in row-major order, for writing. Copies them first when they are shared.
  @inline(__always)
  public mutating func withUnsafeMutableBufferPointer<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    makeUnique()
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeMutableBufferPointer(start: storage.base, count: storage.count))
  }

  /// The elements as an array.
  public var elements: [Float] { withUnsafeBufferPointer { Array($0) } }

  /// The only element.
  /// - Precondition: there is exactly one.
  public var item: Float {
    precondition(count == 1, "item of a tensor of shape \(shape)")
    return storage.base[0]
  }

  /// One element.
  /// - Precondition: `indices` has one index per dimension, each inside it.
  public subscript(_ indices: Int...) -> Float {
    get { storage.base[position(of: indices)] }
    set {
      makeUnique()
      storage.base[position(of: indices)] = newValue
    }
  }

  private func position(of indices: [Int]) -> Int {
    precondition(indices.count == rank, "\(indices.count) indices into the shape \(shape)")
    var position = 0
    for (index, dimension) in zip(indices, shape) {
      precondition(index >= 0 && index < dimension, "index \(indices) outside the shape \(shape)")
      position = position * dimension + index
    }
    return position
  }

  /// The same for copies that share memory, whatever their shapes.
  package var identity: TensorIdentity { storage.identity }

  /// Releases the memory behind elements that lie in a mapped file. They come back when they are read.
  public func discardPages() { storage.discardPages() }

  private mutating func makeUnique() {
    guard !(storage.isOwned && isKnownUniquelyReferenced(&storage)) else { return }
    let copy = TensorStorage(count: storage.count)
    copy.base.initialize(from: storage.base, count: storage.count)
    storage = copy
  }
}

// MARK: Shape

extension Tensor {
  /// The same elements under another shape, without a copy.
  /// - Precondition: the element counts agree.
  public func reshaped(_ newShape: [Int]) -> Tensor {
    precondition(
      Tensor.elementCount(of: newShape) == count, "shape \(shape) cannot be read as \(newShape)")
    var result = self
    result.shape = newShape
    return result
  }
}

extension Tensor: Equatable {
  /// Equal shapes and equal elements (so never equal where one holds NaN).
  public static func == (left: Tensor, right: Tensor) -> Bool {
    guard left.shape == right.shape else { return false }
    return left.withUnsafeBufferPointer { a in right.withUnsafeBufferPointer { b in a.elementsEqual(b) } }
  }
}

extension Tensor: CustomStringConvertible {
  /// The shape and the first elements.
  public var description: String {
    let shown = elements.prefix(8).map { "\($0)" }.joined(separator: ", ")
    return "Tensor\(shape)[\(shown)\(count > 8 ? ", …" : "")]"
  }
}
