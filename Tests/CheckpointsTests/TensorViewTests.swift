import Checkpoints
import TensorCore
import TestSupport
import Testing

@Suite("Views of storages")
struct TensorViewTests {
  let folder: TemporaryFolder
  static let floats = (0..<24).map(Float.init)

  init() throws { folder = try TemporaryFolder() }

  func open(_ tensor: [UInt8], storage bytes: [UInt8] = .init(of: floats)) throws -> NumericArray {
    let file = TorchBytes.zip(Pickle.dictionary([("t", tensor)]), storages: ["0": bytes])
    return try Checkpoint(contentsOf: folder.file("test.pt", file)).array(named: "t")
  }

  @Test("any offset and strides give the elements they point at")
  func stridedElements() throws {
    var random = SplitMix(state: 1)
    for _ in 0..<300 {
      let rank = Int.random(in: 0...4, using: &random)
      let shape = (0..<rank).map { _ in Int.random(in: 0...4, using: &random) }
      let strides = (0..<rank).map { _ in Int.random(in: 0...6, using: &random) }
      let extent = shape.contains(0) ? 0 : zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
      let offset = Int.random(in: 0...8, using: &random)
      let tensor = Pickle.tensor(
        Pickle.storage("0", count: 24), offset: offset, shape: shape, strides: strides)
      guard shape.contains(0) || offset + extent < 24 else {
        expectRefusal(.malformed, mentions: "inside its storage of 24", "t") { _ = try open(tensor) }
        continue
      }
      // Every index in turn, by the definition of strides.
      var expected: [Float] = [Float(offset)]
      for (dimension, stride) in zip(shape, strides) {
        expected = expected.flatMap { start in (0..<dimension).map { start + Float($0 * stride) } }
      }
      let array = try open(tensor)
      #expect(array.tensor() == Tensor(expected, shape: shape), "\(shape) \(strides) \(offset)")
      #expect(array.doubles() == expected.map(Double.init))
    }
  }

  @Test("packed float32 tensors are read in place, others are not")
  func zeroCopy() throws {
    let packed = try open(
      Pickle.tensor(Pickle.storage("0", count: 24), offset: 3, shape: [2, 5], strides: [5, 1]))
    let first = packed.tensor()
    let second = packed.tensor()
    first.withUnsafeBufferPointer { a in
      second.withUnsafeBufferPointer { b in #expect(a.baseAddress == b.baseAddress) }
    }
    let overlapping = try open(
      Pickle.tensor(Pickle.storage("0", count: 24), shape: [2, 5], strides: [1, 1]))
    #expect(overlapping.tensor().elements == [0, 1, 2, 3, 4, 1, 2, 3, 4, 5])
  }

  @Test("a tensor outlives the checkpoint it came from, and writing to it leaves the file alone")
  func lifetime() throws {
    let path = try folder.file(
      "life.pt",
      TorchBytes.zip(
        Pickle.dictionary([("t", Pickle.tensor(Pickle.storage("0", count: 24), shape: [24], strides: [1]))]),
        storages: ["0": .init(of: Self.floats)]))
    var tensor = try Checkpoint(contentsOf: path).tensor(named: "t")
    tensor[0] = 99
    #expect(tensor[0] == 99 && tensor[23] == 23)
    #expect(try Checkpoint(contentsOf: path).tensor(named: "t")[0] == 0)
  }

  @Test("one storage may serve many tensors, and parameters are their tensors")
  func shared() throws {
    let storage = Pickle.storage("0", count: 24)
    let tensor = Pickle.tensor(storage, offset: 4, shape: [2], strides: [1])
    let parameter = Pickle.call(
      "torch._utils", "_rebuild_parameter", [tensor + Pickle.put(9), [0x88], Pickle.none])
    let checkpoint = try Checkpoint(
      contentsOf: folder.file(
        "shared.pt",
        TorchBytes.zip(
          Pickle.dictionary([("p", parameter), ("q", Pickle.get(9))]), storages: ["0": .init(of: Self.floats)]
        )))
    #expect(try checkpoint.tensor(named: "p").elements == [4, 5])
    #expect(try checkpoint.tensor(named: "q").elements == [4, 5])
  }

  @Test(
    "views that reach outside their storage",
    arguments: [
      (0, [25], [1]), (24, [1], [1]), (0, [2, 13], [12, 1]), (Int.max, [1], [1]), (0, [2], [Int.max]),
      (0, [Int.max, 2], [1, 1]), (0, [1 << 32, 1 << 32], [0, 0]), (0, [1 << 62, 4], [0, 0]),
      (1, [2, 2], [Int.max, Int.max]),
      (0, [0, Int.max, Int.max], [1, 1, 1]), (0, [2], [1, 1]), (25, [0], [1]),
    ] as [(Int, [Int], [Int])])
  func outside(offset: Int, shape: [Int], strides: [Int]) {
    expectRefusal(mentions: "t") {
      _ = try open(
        Pickle.tensor(Pickle.storage("0", count: 24), offset: offset, shape: shape, strides: strides))
    }
  }

  @Test("an expanded view of a trillion elements")
  func expansion() throws {
    let small = try open(
      Pickle.tensor(Pickle.storage("0", count: 24), offset: 5, shape: [3, 1000], strides: [0, 0]))
    #expect(small.tensor() == Tensor(repeating: 5, shape: [3, 1000]))
    expectRefusal(.unsupported, mentions: "expanded") {
      _ = try open(
        Pickle.tensor(Pickle.storage("0", count: 24), shape: [1 << 20, 1 << 20], strides: [0, 0]))
    }
  }

  @Test("a storage that is shorter than the pickle says, or is not there")
  func missingStorage() {
    expectRefusal(.malformed, mentions: "storage 0", "24 elements of float32") {
      _ = try open(
        Pickle.tensor(Pickle.storage("0", count: 24), shape: [1], strides: [1]), storage: [0, 0, 0, 0])
    }
    expectRefusal(.malformed, mentions: "archive/data/../../7") {
      _ = try open(Pickle.tensor(Pickle.storage("../../7", count: 1), shape: [1], strides: [1]))
    }
    expectRefusal(.malformed) {
      _ = try open(
        Pickle.tensor(Pickle.storage("0", "DoubleStorage", count: 1 << 61), shape: [1], strides: [1]))
    }
  }

  @Test(
    "all element types of storages keep exact values",
    arguments: [
      ("DoubleStorage", [UInt8](of: [0.1, -1e300]), ElementType.float64, [0.1, -1e300]),
      ("HalfStorage", .init(of: [0x3C00, 0x8001] as [UInt16]), .float16, [1, -0x1p-24]),
      ("BFloat16Storage", .init(of: [0x3F80, 0xC000] as [UInt16]), .bfloat16, [1, -2]),
      ("LongStorage", .init(of: [1 << 52, -3] as [Int64]), .int64, [0x1p52, -3]),
      ("IntStorage", .init(of: [Int32.min, 7]), .int32, [-0x1p31, 7]),
      ("ShortStorage", .init(of: [Int16.min, 7]), .int16, [-32768, 7]),
      ("CharStorage", [0xFF, 7], .int8, [-1, 7]),
      ("ByteStorage", [0xFF, 7], .uint8, [255, 7]), ("BoolStorage", [2, 0], .bool, [1, 0]),
    ] as [(String, [UInt8], ElementType, [Double])])
  func elementTypes(storage: String, bytes: [UInt8], type: ElementType, values: [Double]) throws {
    let array = try open(
      Pickle.tensor(Pickle.storage("0", storage, count: 2), shape: [2], strides: [1]), storage: bytes)
    #expect(array.elementType == type)
    #expect(array.doubles() == values)
    #expect(array.tensor().elements == values.map { Float($0) })
  }
}
