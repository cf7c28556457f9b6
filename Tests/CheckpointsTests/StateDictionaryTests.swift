import Base
import Checkpoints
import TensorCore
import TestSupport
import Testing

@Suite("State dictionaries")
struct StateDictionaryTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let tensor = Pickle.tensor(Pickle.storage("0", count: 1), shape: [1], strides: [1])
  static func weights(_ names: String...) -> [UInt8] { Pickle.dictionary(names.map { ($0, tensor) }) }

  func state(_ items: [(String, [UInt8])], under key: String? = nil) throws -> StateDictionary {
    let file = TorchBytes.zip(Pickle.dictionary(items), storages: ["0": [0, 0, 0x80, 0x3F]])
    return try StateDictionary(Checkpoint(contentsOf: folder.file("test.pt", file)), under: key)
  }

  @Test("the parameters are found where programs put them")
  func wrappers() throws {
    let optimizer = Pickle.dictionary([("state", Self.weights("exp_avg"))])
    let epoch = Pickle.integer(3)
    let cases: [([(String, [UInt8])], prefix: String, names: [String])] = [
      ([("a.weight", Self.tensor), ("b", Self.tensor)], "", ["a.weight", "b"]),
      ([("module.a", Self.tensor), ("module.b", Self.tensor)], "module.", ["a", "b"]),
      ([("module.a", Self.tensor), ("b", Self.tensor)], "", ["module.a", "b"]),
      ([("model_state_dict", Self.weights("module.a"))], "model_state_dict/module.", ["a"]),
      ([("epoch", epoch), ("state_dict", Self.weights("a"))], "state_dict/", ["a"]),
      ([("optimizer", optimizer), ("model_state_dict", Self.weights("a"))], "model_state_dict/", ["a"]),
      ([("optimizer", optimizer), ("epoch", epoch), ("model", Self.weights("a"))], "model/", ["a"]),
      ([("optimizer", optimizer), ("ema", Self.weights("a"))], "ema/", ["a"]),
      ([("anything", Self.weights("a", "b")), ("args", Pickle.string("x"))], "anything/", ["a", "b"]),
      (
        [("checkpoint", Pickle.dictionary([("state_dict", Self.weights("a"))]))], "checkpoint/state_dict/",
        ["a"]
      ),
    ]
    for (items, prefix, names) in cases {
      let state = try state(items)
      #expect(state.prefix == prefix)
      #expect(state.tensors.map(\.name) == names, "\(prefix)")
      for name in names { #expect(state[name]?.tensor().item == 1) }
      #expect(state["absent"] == nil)
    }
  }

  @Test("where there is a choice, it must be made")
  func ambiguous() throws {
    let items = [("ema", Self.weights("module.a")), ("model", Self.weights("b"))]
    expectRefusal(.malformed, mentions: "test.pt", "several: ema, model") { _ = try state(items) }
    #expect(try state(items, under: "ema").prefix == "ema/module.")
    #expect(try state(items, under: "model").tensors.map(\.name) == ["b"])
    expectRefusal(.malformed, mentions: "optimizer") { _ = try state(items, under: "optimizer") }
    expectRefusal(.malformed, mentions: "model/deeper") { _ = try state(items, under: "model/deeper") }
  }

  @Test("a file without tensors")
  func noTensors() {
    expectRefusal(.malformed, mentions: "test.pt", "no tensors") {
      _ = try state([("epoch", Pickle.integer(1))])
    }
  }

  @Test("two entries of one path")
  func samePath() {
    let items = [("a", Pickle.dictionary([("b", Self.tensor)])), ("a/b", Self.tensor)]
    expectRefusal(.malformed, mentions: "a/b", "twice") { _ = try state(items) }
  }
}

@Suite("Weight scopes")
struct WeightScopeTests {
  static let state = StateDictionary(
    [
      ("module.in.0.weight", [2, 3]), ("module.in.0.bias", [2]), ("module.in.1.weight", [4]),
      ("module.out.weight", [2]), ("module.count", []),
    ].map { NamedArray(name: $0.0, array: NumericArray(Tensor(repeating: 5, shape: $0.1))) },
    file: "net.pt", prefix: "model/")

  @Test("layers take their parameters by short names, and nothing is left")
  func everythingFits() throws {
    let scope = WeightScope(Self.state)
    let layer = scope.scope("in").scope(0)
    #expect(layer.path == "in.0")
    #expect(layer.tensor("weight", shape: [2, 3]) == Tensor(repeating: 5, shape: [2, 3]))
    #expect(layer.tensorIfPresent("bias", shape: [2])?.shape == [2])
    #expect(layer.tensorIfPresent("gain", shape: [2]) == nil)
    #expect(scope.scope("in.1").tensor("weight", shape: [4]).shape == [4])
    #expect(scope.tensor("out.weight", shape: [2]).shape == [2])
    scope.ignore("count")
    #expect(scope.report.isEmpty)
    try scope.finish()
  }

  @Test("looking at names and shapes does not use them")
  func looking() {
    let scope = WeightScope(Self.state)
    #expect(scope.children == ["in", "out", "count"])
    #expect(scope.scope("in").children == ["0", "1"])
    #expect(scope.scope("in").scope(0).children == ["weight", "bias"])
    #expect(scope.scope("i").children.isEmpty)
    #expect(scope.contains("count") && !scope.contains("in"))
    #expect(scope.scope("in").shape(of: "1.weight") == [4])
    #expect(scope.scope("in").shape(of: "1.bias") == nil)
    #expect(scope.report.unused.count == 5)
  }

  @Test("every missing, wrongly shaped and unused tensor is reported at once, with its name in the file")
  func everythingWrong() {
    let scope = WeightScope(Self.state)
    let layer = scope.scope("in").scope(0)
    #expect(layer.tensor("weight", shape: [3, 2]) == Tensor(zeros: [3, 2]))
    #expect(layer.tensor("gain", shape: [7]) == Tensor(zeros: [7]))
    #expect(scope.tensorIfPresent("out.weight", shape: [9]) == Tensor(zeros: [9]))
    let error = expectRefusal(
      .malformed, mentions: "net.pt", "1 missing, 2 wrongly shaped, 3 unused",
      "model/module.in.0.gain: expected shape [7], found none",
      "model/module.in.0.weight: expected shape [3, 2], found shape [2, 3]",
      "model/module.out.weight: expected shape [9], found shape [2]",
      "model/module.in.0.bias: expected no such tensor, found shape [2]", "model/module.in.1.weight",
      "model/module.count: expected no such tensor, found shape []"
    ) { try scope.finish() }
    #expect(error?.description.split(separator: "\n").count == 7)
  }

  @Test("a single problem fills the fields of the error")
  func oneProblem() {
    let scope = WeightScope(Self.state).scope("out")
    _ = scope.tensor("weight", shape: [3])
    let error = expectRefusal { try scope.finish() }
    #expect(
      error
        == DataError(
          .malformed, file: "net.pt", item: "model/module.out.weight", expected: "shape [3]",
          found: "shape [2]"))
  }

  @Test("a scope reports what lies in it and below")
  func partialReport() throws {
    let top = WeightScope(Self.state)
    let inner = top.scope("in").scope(1)
    _ = inner.tensor("weight", shape: [4])
    try inner.finish()
    #expect(top.scope("in").report.unused.map(\.name) == ["in.0.weight", "in.0.bias"])
    #expect(WeightScope(Self.state).report.unused.count == 5)
  }
}
