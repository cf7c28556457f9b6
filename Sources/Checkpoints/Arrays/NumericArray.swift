import Base
import TensorCore

/// An array of numbers as a file holds it: element type, shape and where the elements lie.
///
/// Nothing is read until the elements are asked for, so the arrays of a large checkpoint cost nothing.
/// The elements may lie in any order (transposed, expanded or overlapping views of a storage, Fortran's
/// order) and in either byte order; asked for, they come in row-major order. They are exact: a 64-bit
/// integer or a double keeps all its bits until it is converted.
public struct NumericArray: Sendable {
  public let elementType: ElementType
  /// Length of each dimension, outermost first. A scalar has none.
  public let shape: [Int]
  /// Number of elements.
  public let count: Int

  /// Distance of neighbours along each dimension, in elements; never negative.
  let strides: [Int]
  /// Elements are in the byte order that this machine does not use.
  let isByteSwapped: Bool
  /// From the first element to the last.
  let region: ByteRegion

  /// Elements lie side by side in row-major order, as this machine reads them.
  var isPacked: Bool {
    if count == 0 { return true }
    let steps = ArrayLayout.simplified(shape: shape, strides: strides).strides
    return !isByteSwapped && (steps.isEmpty || steps == [1])
  }

  /// Expanded views, whose elements share memory, may have this many elements; others as many as
  /// their storage. Beyond that a few bytes could ask for all the memory there is.
  private static let largestExpandedCount = 1 << 24

  /// A view of elements inside `storage`.
  /// - Parameters:
  ///   - strides: in elements; nil for row-major order.
  ///   - offset: of the first element, in elements.
  ///   - source: file and item for errors.
  /// - Throws: `DataError` when the shape cannot be or the view reaches outside the storage.
  init(
    _ elementType: ElementType, shape: [Int], strides: [Int]? = nil, offset: Int = 0,
    isBigEndian: Bool = false, in storage: ByteRegion, source: (file: String, item: String)
  ) throws(DataError) {
    guard let count = ArrayLayout.elementCount(of: shape) else {
      throw DataError(
        .malformed, file: source.file, item: source.item,
        expected: "a shape of at most \(ArrayLayout.maximumRank) dimensions whose elements can be counted",
        found: "\(shape)")
    }
    let strides = strides ?? ArrayLayout.rowMajorStrides(of: shape)
    guard strides.count == shape.count else {
      throw DataError(
        .malformed, file: source.file, item: source.item, expected: "a stride for each dimension of \(shape)",
        found: "\(strides)")
    }
    let available = storage.count / elementType.size
    guard let extent = ArrayLayout.extent(shape: shape, strides: strides), extent <= available,
      offset >= 0, offset <= available - extent,
      let region = storage.slice(offset: offset * elementType.size, count: extent * elementType.size)
    else {
      throw DataError(
        .malformed, file: source.file, item: source.item,
        expected: "a view inside its storage of \(available) elements",
        found: "shape \(shape), strides \(strides), offset \(offset)")
    }
    guard count <= max(available, Self.largestExpandedCount) else {
      throw DataError(
        .unsupported, file: source.file, item: source.item,
        expected: "an expanded view of at most \(Self.largestExpandedCount) elements", found: "shape \(shape)"
      )
    }
    self.elementType = elementType
    self.shape = shape
    self.count = count
    self.strides = strides
    self.region = region
    // Swift runs on little-endian machines only.
    isByteSwapped = isBigEndian && elementType.size > 1
  }

  private init(_ elementType: ElementType, shape: [Int], count: Int, region: ByteRegion) {
    self.elementType = elementType
    self.shape = shape
    self.count = count
    strides = ArrayLayout.rowMajorStrides(of: shape)
    isByteSwapped = false
    self.region = region
  }
}

// MARK: From memory

extension NumericArray {
  /// The elements of a tensor as float32, without a copy.
  public init(_ tensor: Tensor) {
    let box = TensorBox(tensor)
    // The box keeps the tensor from being released or written, so its memory stays where it is.
    let bytes = box.tensor.withUnsafeBufferPointer { UnsafeRawBufferPointer($0) }
    self.init(.float32, shape: tensor.shape, count: tensor.count, region: ByteRegion(bytes, owner: box))
  }

  /// - Precondition: there are as many elements as `shape` asks for.
  public init(_ elements: [UInt8], shape: [Int]) { self.init(copying: elements, as: .uint8, shape: shape) }

  /// - Precondition: there are as many elements as `shape` asks for.
  public init(_ elements: [Int64], shape: [Int]) { self.init(copying: elements, as: .int64, shape: shape) }

  /// - Precondition: there are as many elements as `shape` asks for.
  public init(_ elements: [Float], shape: [Int]) { self.init(copying: elements, as: .float32, shape: shape) }

  /// - Precondition: there are as many elements as `shape` asks for.
  public init(_ elements: [Double], shape: [Int]) { self.init(copying: elements, as: .float64, shape: shape) }

  private init<Element: BitwiseCopyable>(copying elements: [Element], as type: ElementType, shape: [Int]) {
    let count = Tensor.elementCount(of: shape)
    precondition(elements.count == count, "\(elements.count) elements do not fill the shape \(shape)")
    let copy = elements.withUnsafeBytes { source in
      OwnedBytes(count: source.count) { $0.copyMemory(from: source) }
    }
    guard let copy else { Allocation.fail(bytes: count * type.size) }
    self.init(type, shape: shape, count: count, region: copy.region)
  }
}

/// A tensor as an object that can own memory.
final class TensorBox: Sendable {
  let tensor: Tensor
  init(_ tensor: Tensor) { self.tensor = tensor }
}

/// An array under a name, as checkpoints and archives list them.
public struct NamedArray: Sendable {
  public let name: String
  public let array: NumericArray

  public init(name: String, array: NumericArray) {
    self.name = name
    self.array = array
  }
}
