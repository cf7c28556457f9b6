import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("NumPy files")
struct NumpyTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static func npy(
    _ descr: String, shape: String, fortran: String = "False", data: [UInt8] = [], version: UInt8 = 1,
    headerLength: Int? = nil
  ) -> [UInt8] {
    npy(
      header: "{'descr': \(descr), 'fortran_order': \(fortran), 'shape': \(shape), }\n", data, version,
      headerLength)
  }

  static func npy(
    header: String, _ data: [UInt8] = [], _ version: UInt8 = 1, _ headerLength: Int? = nil
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0]
    let length = headerLength ?? header.utf8.count
    if version == 1 { bytes.append(UInt16(length)) } else { bytes.append(UInt32(length)) }
    return bytes + header.utf8 + data
  }

  func open(_ bytes: [UInt8]) throws -> NumericArray {
    try NpyFile(contentsOf: folder.file("test.npy", bytes)).array
  }

  // MARK: Arrays

  @Test(
    "all element types in both byte orders",
    arguments: [
      ("u1", .uint8, [0, 255]), ("i1", .int8, [-128, 127]), ("u2", .uint16, [1, 65534]),
      ("i2", .int16, [-2, 258]),
      ("u4", .uint32, [1, 4_294_967_294]), ("i4", .int32, [-2, 16_909_060]), ("u8", .uint64, [1, 0x1p40]),
      ("i8", .int64, [-2, 0x1p40]), ("f2", .float16, [-1.5, 0x1p-24]), ("f4", .float32, [-1.5, 0x1.8p-130]),
      ("f8", .float64, [-1.5, 1e-300]), ("b1", .bool, [0, 1]),
    ] as [(String, ElementType, [Double])])
  func elementTypes(code: String, type: ElementType, values: [Double]) throws {
    let bits: [UInt64] = values.map { value in
      switch type {
      case .float16: UInt64(Float16Bits.narrow(Float(value)))
      case .float32: UInt64(Float(value).bitPattern)
      case .float64: value.bitPattern
      default: UInt64(bitPattern: Int64(value))
      }
    }
    for order in ["<", ">", "=", "|"] where order != "|" || type.size == 1 {
      let data = bits.flatMap { bits in
        let bytes = (0..<type.size).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
        return order == ">" ? bytes.reversed() : bytes
      }
      let array = try open(Self.npy("'\(order)\(code)'", shape: "(2,)", data: data))
      #expect(array.elementType == type && array.shape == [2])
      #expect(array.doubles() == values, "\(order)\(code)")
      #expect(array.tensor().elements == values.map { Float($0) }, "\(order)\(code)")
    }
  }

  @Test("header versions 1 to 3, both quotes, keys in any order, no blanks")
  func headers() throws {
    for version: UInt8 in 1...3 {
      #expect(
        try open(Self.npy("\"|u1\"", shape: "( 2 , 1L )", data: [5, 6], version: version)).uint8s() == [5, 6])
    }
    let compact = try open(Self.npy(header: "{'shape':(),'fortran_order':False,'descr':'|u1'}", [9]))
    #expect(compact.shape == [] && compact.uint8s() == [9])
  }

  @Test("Fortran's order comes out row by row")
  func fortran() throws {
    let bytes = Self.npy(
      "'<i2'", shape: "(2, 3)", fortran: "True", data: .init(of: [1, 4, 2, 5, 3, 6] as [Int16]))
    let file = try NpyFile(contentsOf: folder.file("f.npy", bytes))
    #expect(file.isFortranOrder)
    #expect(file.array.int64s() == [1, 2, 3, 4, 5, 6])
  }

  @Test("labels are cast to bytes with wrap-around")
  func wrapAround() throws {
    let wide = try open(Self.npy("'<i8'", shape: "(4,)", data: .init(of: [-1, 256, 257, 255] as [Int64])))
    #expect(wide.uint8s() == [255, 0, 1, 255])
    let real = try open(
      Self.npy("'<f8'", shape: "(5,)", data: .init(of: [1.9, -1.9, 300, .nan, .infinity] as [Double])))
    #expect(real.uint8s() == [1, 255, 44, 0, 0])
    #expect(real.int64s() == [1, -1, 300, .min, .min])
    let unsigned = try open(Self.npy("'<u8'", shape: "(1,)", data: .init(of: [UInt64.max])))
    #expect(unsigned.int64s() == [-1] && unsigned.doubles() == [0x1p64])
  }

  // MARK: Refusals

  @Test(
    "elements that are no numbers",
    arguments: [
      "'|O'", "'<U3'", "'|S5'", "'<M8[ns]'", "'<c8'", "'<V2'", "'<f16'", "[('a', '<f4')]", "'f4'", "''",
      "'<'", "'>i3'",
    ])
  func notNumbers(descr: String) {
    expectRefusal(.unsupported, mentions: "test.npy") {
      _ = try open(Self.npy(descr, shape: "(1,)", data: [UInt8](repeating: 0, count: 64)))
    }
  }

  @Test(
    "shapes that cannot be",
    arguments: [
      "(-1,)", "(2, -3)", "(9223372036854775807,)", "(99999999999999999999,)",
      "(4294967296, 4294967296, 4294967296)",
      "(0, 4294967296, 4294967296)", "(5,)", "(1.5,)", "(1 2)", "(,)", "1", "(1,",
      "(" + String(repeating: "1,", count: 65) + ")",
      "(" + String(repeating: "(", count: 10_000),
    ])
  func badShapes(shape: String) {
    expectRefusal(.malformed, mentions: "test.npy") {
      _ = try open(Self.npy("'<f8'", shape: shape, data: [0, 0, 0, 0, 0, 0, 0, 0]))
    }
  }

  @Test(
    "headers that are damaged or lie",
    arguments: [
      [], [0x93], Array("NUMPY".utf8), npy("'|u1'", shape: "(1,)", data: [1], version: 4),
      npy("'|u1'", shape: "(1,)", data: [1], version: 0),
      npy("'|u1'", shape: "(1,)", data: [1], headerLength: 60_000),
      npy("'|u1'", shape: "(1,)", data: [1], version: 2, headerLength: 0xFFFF_FFFF),
      npy("'|u1'", shape: "(1,)", data: [1], headerLength: 5),
      npy("'|u1'", shape: "(1,)", data: [1], headerLength: 0),
      npy("'|u1'", shape: "(1,)", fortran: "Maybe", data: [1]), npy("'|u1", shape: "(1,)", data: [1]),
      npy("'\\x7cu1'", shape: "(1,)", data: [1]),
      npy(header: "{'descr': '|u1'}", [1]), npy(header: "{}", [1]), npy(header: "", [1]),
      npy(header: "{", [1]),
      npy(header: "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", [1]),
      npy(header: "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'code': 1}", [1]),
      npy(header: "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} + 1", [1]),
      npy(header: "{'descr' '|u1'}", [1]), npy(header: "{descr: '|u1'}", [1]),
    ] as [[UInt8]])
  func badHeaders(bytes: [UInt8]) {
    expectRefusal(mentions: "test.npy") { _ = try open(bytes) }
  }

  // MARK: Writing

  static let samples = [
    NumericArray([1, 2, 250] as [UInt8], shape: [3]), NumericArray([-1, .max] as [Int64], shape: [1, 2]),
    NumericArray([0.5, -2, .infinity] as [Float], shape: [3, 1]), NumericArray([0.1] as [Double], shape: []),
    NumericArray([] as [Float], shape: [2, 0, 3]),
    NumericArray(Tensor((0..<60).map(Float.init), shape: [3, 4, 5])),
  ]

  @Test("what is written is read back, and the elements are aligned", arguments: samples.indices)
  func roundTrip(sample: Int) throws {
    let array = Self.samples[sample]
    let path = folder.path("round.npy")
    try NpyFile.write(array, to: path)
    let back = try NpyFile(contentsOf: path).array
    #expect(back.elementType == array.elementType && back.shape == array.shape)
    #expect(back.doubles() == array.doubles())
    let size = try Data(contentsOf: folder.url.appending(path: "round.npy")).count
    #expect((size - array.count * array.elementType.size) % 64 == 0)
  }

  @Test("the header of a written file is NumPy's, byte for byte")
  func headerBytes() throws {
    try NpyFile.write(NumericArray([1, 2, 3, 4] as [Float], shape: [4]), to: folder.path("h.npy"))
    let bytes = try Array(Data(contentsOf: folder.url.appending(path: "h.npy")))
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"
    let expected =
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + text.utf8
      + [UInt8](repeating: 0x20, count: 117 - text.count)
    #expect(Array(bytes[..<128]) == expected + [0x0A])
  }

  @Test("bfloat16 is not a type of NumPy")
  func noBrainFloat() throws {
    let header = "{\"a\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[0,2]}}"
    var bytes: [UInt8] = []
    bytes.append(UInt64(header.utf8.count))
    let array = try Checkpoint(contentsOf: folder.file("b.safetensors", bytes + header.utf8 + [0, 0])).array(
      named: "a")
    expectRefusal(.invalidArgument, mentions: "bfloat16") {
      try NpyFile.write(array, to: folder.path("b.npy"))
    }
    expectRefusal(.invalidArgument, mentions: "bfloat16") {
      try NpzFile.write([NamedArray(name: "b", array: array)], to: folder.path("b.npz"))
    }
    #expect(try folder.content == ["b.safetensors"])
  }
}
