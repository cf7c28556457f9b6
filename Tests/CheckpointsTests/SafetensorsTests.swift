import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("Safetensors files")
struct SafetensorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func open(_ header: String, data: [UInt8] = [], length: UInt64? = nil) throws -> SafetensorsFile {
    var bytes: [UInt8] = []
    bytes.append(length ?? UInt64(header.utf8.count))
    return try SafetensorsFile(contentsOf: folder.file("test.safetensors", bytes + header.utf8 + data))
  }

  // MARK: Writing

  @Test("what is written is read back, in order, with shapes and metadata")
  func roundTrip() throws {
    var writer = SafetensorsWriter(metadata: ["made by": "a \"test\"\n\u{1}", "α": "β\\"])
    let matrix = Tensor((0..<6).map { Float($0) / 3 }, shape: [2, 3])
    writer.append("bytes", NumericArray([1, 2, 3] as [UInt8], shape: [3]))
    writer.append("layer.\"quoted\"", matrix)
    writer.append("half", matrix, as: .float16)
    writer.append("brain", matrix, as: .bfloat16)
    writer.append("integers", NumericArray([Int64.min, .max], shape: [2, 1]))
    writer.append("doubles", NumericArray([0.1, -0.1], shape: [2]))
    writer.append("scalar", Tensor(repeating: 7, shape: []))
    writer.append("empty", Tensor(zeros: [0, 4]))
    let path = folder.path("round.safetensors")
    try writer.write(to: path)

    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.metadata == writer.metadata)
    #expect(
      file.tensors.map(\.name) == [
        "bytes", "layer.\"quoted\"", "half", "brain", "integers", "doubles", "scalar", "empty",
      ])
    #expect(file.tensors.map(\.array.shape) == [[3], [2, 3], [2, 3], [2, 3], [2, 1], [2], [], [0, 4]])
    let checkpoint = try Checkpoint(contentsOf: path)
    #expect(checkpoint.format == .safetensors && checkpoint.metadata == writer.metadata)
    #expect(try checkpoint.tensor(named: "layer.\"quoted\"") == matrix)
    #expect(try checkpoint.array(named: "integers").int64s() == [.min, .max])
    #expect(try checkpoint.array(named: "doubles").doubles() == [0.1, -0.1])
    #expect(try checkpoint.array(named: "bytes").uint8s() == [1, 2, 3])
    #expect(try checkpoint.tensor(named: "scalar").item == 7)
    #expect(try checkpoint.tensor(named: "empty").shape == [0, 4])
    #expect(
      try checkpoint.tensor(named: "half").elements
        == matrix.elements.map { Float16Bits.widen(Float16Bits.narrow($0)) })
    #expect(
      try checkpoint.tensor(named: "brain").elements
        == matrix.elements.map { BFloat16Bits.widen(BFloat16Bits.narrow($0)) })
  }

  @Test("rounding works across the pieces in which it is done")
  func longHalf() throws {
    let tensor = Tensor((0..<150_000).map { Float($0 % 2048) }, shape: [150_000])
    var writer = SafetensorsWriter()
    writer.append("t", tensor, as: .float16)
    try writer.write(to: folder.path("long.safetensors"))
    #expect(try Checkpoint(contentsOf: folder.path("long.safetensors")).tensor(named: "t") == tensor)
  }

  @Test("the data are aligned for mapping, and writing twice gives the same bytes")
  func layout() throws {
    for count in 1...5 {
      var writer = SafetensorsWriter()
      writer.append(
        String(repeating: "n", count: count),
        NumericArray([UInt8](repeating: 1, count: count), shape: [count]))
      writer.append("t", Tensor(repeating: 1, shape: [count]))
      try writer.write(to: folder.path("a.safetensors"))
      try writer.write(to: folder.path("b.safetensors"))
      let bytes = try Array(Data(contentsOf: folder.url.appending(path: "a.safetensors")))
      #expect(try bytes == Array(Data(contentsOf: folder.url.appending(path: "b.safetensors"))))
      #expect((bytes.count - 5 * count) % 64 == 0)
      let file = try SafetensorsFile(contentsOf: folder.path("a.safetensors"))
      let first = file.tensors[1].array.tensor()
      let second = file.tensors[1].array.tensor()
      first.withUnsafeBufferPointer { a in
        second.withUnsafeBufferPointer { b in #expect(a.baseAddress == b.baseAddress) }
      }
    }
  }

  @Test("a file can be rewritten while its own tensors are in use")
  func overwrite() throws {
    let path = folder.path("self.safetensors")
    var writer = SafetensorsWriter()
    writer.append("a", Tensor([1, 2], shape: [2]))
    try writer.write(to: path)
    let tensor = try Checkpoint(contentsOf: path).tensor(named: "a")
    writer = SafetensorsWriter()
    writer.append("b", Tensor([9], shape: [1]))
    writer.append("a", tensor)
    try writer.write(to: path)
    #expect(tensor.elements == [1, 2])
    #expect(try Checkpoint(contentsOf: path).tensor(named: "a").elements == [1, 2])
  }

  @Test("names that come twice are refused and nothing is left behind")
  func writerRefusals() throws {
    var writer = SafetensorsWriter()
    writer.append("a", Tensor(zeros: [1]))
    writer.append("a", Tensor(zeros: [1]))
    expectRefusal(.invalidArgument, mentions: "a") { try writer.write(to: folder.path("x.safetensors")) }
    expectRefusal(.cannotCreate) {
      try SafetensorsWriter().write(to: folder.path("no/such/folder.safetensors"))
    }
    #expect(try folder.content.isEmpty)
  }

  // MARK: Reading

  @Test("headers of other writers: any order of keys, escapes, blanks")
  func otherWriters() throws {
    let file = try open(
      " {\"\\u00e9\\ud83d\\ude00\\/\" : { \"data_offsets\" : [ 4 , 6 ] ,\n\"shape\":[ ],\t\"dtype\":\"I16\"},"
        + "\"__metadata__\":{},\"a\":{\"dtype\":\"U32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}   ",
      data: [1, 0, 0, 0, 0xFF, 0xFF])
    #expect(file.tensors.map(\.name) == ["é😀/", "a"])
    #expect(file.tensors.map { $0.array.int64s() } == [[-1], [1]])
  }

  @Test("lengths of the header that cannot be", arguments: [4 << 30, 100_000_001, 3, .max, UInt64(Int.max)])
  func headerLength(length: UInt64) {
    expectRefusal(.malformed, mentions: "test.safetensors", "header", "\(length)") {
      _ = try open("{}", length: length)
    }
  }

  @Test(
    "headers that are no JSON or not of this form",
    arguments: [
      ("", "{"), ("[]", "{"), ("{", "\""), ("{}x", "end of the header"), (#"{"a"}"#, ":"), (#"{"a":1}"#, "{"),
      (#"{"a":{}}"#, "shape missing"), (#"{"__metadata__":{},}"#, "\""), (#"{"a"#, "end of a string"),
      (#"{"\x":{}}"#, "escape"), (#"{"\ud800":{}}"#, "surrogates"), (#"{"\ud800\u0041":{}}"#, "surrogates"),
      (#"{"\udc00":{}}"#, "a character"), (#"{"\u12"#, "hexadecimal"), (#"{"\u+123":{}}"#, "hexadecimal"),
      ("{\"\u{1}\":{}}", "control"), (#"{"__metadata__":{"a":1}}"#, "\""),
      (#"{"__metadata__":{"a":"","a":""}}"#, "twice"), (#"{"__metadata__":{},"__metadata__":{}}"#, "twice"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}}"#, "extra"),
      (#"{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}"#, "shape"),
      (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, "shape missing"),
      (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "whole number"),
      (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, "]"),
      (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, "63 bits"),
    ])
  func badHeader(header: String, word: String) {
    expectRefusal(.malformed, mentions: "test.safetensors", word) {
      _ = try open(header, data: [1, 2, 3, 4])
    }
  }

  /// The header of tensors a, b, … of the given types, shapes and byte ranges.
  static func header(_ tensors: (type: String, shape: String, bytes: String)...) -> String {
    let items = zip("abc", tensors).map {
      #""\#($0)":{"dtype":"\#($1.type)","shape":[\#($1.shape)],"data_offsets":[\#($1.bytes)]}"#
    }
    return "{\(items.joined(separator: ","))}"
  }

  @Test(
    "tensors that do not fit four bytes of data",
    arguments: [
      (header(("F32", "1", "0")), "data_offsets [0]"), (header(("F32", "1", "4,0")), "ascending"),
      (header(("F32", "1", "0,4,4")), "at most 2"), (header(("F8_E4M3", "4", "0,4")), "F8_E4M3"),
      (header(("F32", "4294967296,4294967296,4", "0,4")), "4294967296"),
      (header(("F64", "2305843009213693952", "0,0"), ("F32", "1", "0,4")), "2305843009213693952"),
      (header(("F32", "0,4294967296,4294967296", "0,0"), ("F32", "1", "0,4")), "4294967296"),
      (header(("F32", "2", "0,4")), "4 bytes"), (header(("F32", "2", "0,8")), "8 bytes"),
      (header(("F32", "1", "1,5")), "from byte 0 on"), (header(("U8", "3", "0,3")), "3 bytes"),
      (header(), "0 bytes"),
      (header(("U8", "3", "0,3"), ("U8", "2", "2,4")), "from byte 3 on"),
      (header(("U8", "1", "0,1"), ("U8", "2", "2,4")), "from byte 1 on"),
      (header(("U8", "4", "0,4"), ("U8", "4", "0,4")), "from byte 4 on"),
      (header(("U8", "4", "9223372036854775803,9223372036854775807")), "9223372036854775803"),
      (header(("U8", String(repeating: "1,", count: 70) + "4", "0,4")), "at most 64"),
      (
        header(("U8", "2", "0,2"), ("U8", "2", "2,4")).replacingOccurrences(of: "\"b\"", with: "\"a\""),
        "twice"
      ),
    ])
  func badTensors(header: String, word: String) {
    expectRefusal(mentions: "test.safetensors", word) { _ = try open(header, data: [1, 2, 3, 4]) }
  }

  @Test("a deeply nested header ends at once")
  func nesting() {
    let depth = 1_000_000
    expectRefusal(.malformed) { _ = try open(String(repeating: "{\"a\":", count: depth)) }
    expectRefusal(.malformed) { _ = try open("{\"a\":{\"shape\":" + String(repeating: "[", count: depth)) }
  }

  @Test("text that is not UTF-8")
  func notUTF8() throws {
    var bytes: [UInt8] = []
    bytes.append(UInt64(8))
    bytes += [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x7B, 0x7D, 0x7D]
    let path = try folder.file("bad.safetensors", bytes)
    expectRefusal(.malformed, mentions: "UTF-8") { _ = try SafetensorsFile(contentsOf: path) }
  }
}
