import Base
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

struct SafetensorsStreamTests {
  let folder: TemporaryFolder
  let tensors = [
    ("a/step50/block1", Tensor((0..<24).map(Float.init), shape: [2, 3, 4])),
    ("\"quoted\"", Tensor(zeros: [0, 5])),
    ("c", Tensor([7], shape: [])),
  ]

  init() throws { folder = try TemporaryFolder() }

  private func write(to path: String, names: [String]) throws {
    let stream = try SafetensorsStream(path: path, metadata: ["program": "test"], names: names)
    for (name, tensor) in tensors { try stream.append(name, tensor) }
    try stream.finish()
  }

  /// The same tensors as the writer that has all of them at once; names that were announced may stay away.
  @Test(arguments: [0, 1, 200])
  func holdsWhatWasAppended(more: Int) throws {
    let path = folder.path("a.safetensors")
    try write(to: path, names: tensors.map(\.0) + (0..<more).map { "picture\($0)/step50/block1" })
    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.metadata == ["program": "test"])
    #expect(file.tensors.map(\.name) == tensors.map(\.0))
    #expect(file.tensors.map { $0.array.tensor() } == tensors.map(\.1))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")) == ["a.safetensors"])
  }

  @Test func withoutTensors() throws {
    let path = folder.path("a.safetensors")
    try SafetensorsStream(path: path, names: ["a"]).finish()
    #expect(try SafetensorsFile(contentsOf: path).tensors.isEmpty)
  }

  /// A pipe cannot go back to the header; it gets the same bytes.
  @Test func aPipeGetsTheSameBytes() throws {
    let (path, pipe) = (folder.path("a.safetensors"), folder.path("pipe"))
    let names = tensors.map(\.0)
    try write(to: path, names: names)
    mkfifo(pipe, 0o600)
    let reader = try PipeReader(pipe)
    try write(to: pipe, names: names)
    #expect(try reader.data() == Data(contentsOf: URL(fileURLWithPath: path)))
  }

  @Test func droppedItLeavesNothing() throws {
    do {
      let stream = try SafetensorsStream(path: folder.path("a.safetensors"), names: ["a"])
      try stream.append("a", Tensor(zeros: [3]))
      #expect { try stream.append("a", Tensor(zeros: [3])) } throws: { ($0 as? DataError)?.item == "a" }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")).isEmpty)
  }
}
