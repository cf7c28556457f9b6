import Checkpoints
import TestSupport
import Testing

/// What training programs save beside the weights.
@Suite("Objects beside the weights")
struct SideDataTests {
  let folder: TemporaryFolder
  static let tensor = Pickle.tensor(Pickle.storage("0", count: 1), shape: [1], strides: [1])

  init() throws { folder = try TemporaryFolder() }

  func open(_ object: [UInt8], isLegacy: Bool = false) throws -> Checkpoint {
    let one: [UInt8] = [0, 0, 0x80, 0x3F]
    let file =
      isLegacy
      ? TorchBytes.legacy(object, storages: [("0", 1, one)]) : TorchBytes.zip(object, storages: ["0": one])
    return try Checkpoint(contentsOf: folder.file("test.pt", file))
  }

  static let objects: [(name: String, pickle: [UInt8])] = [
    (
      "argparse.Namespace",
      Pickle.object("argparse", "Namespace", state: Pickle.dictionary([("lr", Pickle.integer(1))]))
    ),
    (
      "numpy.core.multiarray.scalar",
      Pickle.call(
        "numpy.core.multiarray", "scalar",
        [
          Pickle.call("numpy", "dtype", [Pickle.string("f8"), [0x89], [0x88]])
            + Pickle.tuple([Pickle.integer(3), Pickle.string("<"), Pickle.none]) + [0x62],
          Pickle.bytes([0, 0, 0, 0, 0, 0, 0xF0, 0x3F]),
        ])
    ),
    (
      "numpy._core.multiarray.scalar",
      Pickle.call(
        "numpy._core.multiarray", "scalar",
        [
          Pickle.global("numpy", "dtype"),
          Pickle.call("_codecs", "encode", [Pickle.string("\0\0"), Pickle.string("latin1")]),
        ])
    ),
    ("pathlib.PosixPath", Pickle.call("pathlib", "PosixPath", [Pickle.string("/"), Pickle.string("data")])),
    ("torch.device", Pickle.call("torch", "device", [Pickle.string("cuda"), Pickle.integer(0)])),
    ("a type or function", Pickle.global("torch", "float16")),
    (
      "datetime.datetime",
      Pickle.call("datetime", "datetime", [Pickle.bytes([7, 0xE9, 1, 2, 3, 4, 5, 6, 7, 8])])
    ),
    ("program.Color", Pickle.call("program", "Color", [Pickle.integer(1)])),
    ("posix.system", Pickle.call("posix", "system", [Pickle.string("touch owned")])),
    (
      "builtins.getattr",
      Pickle.call("builtins", "getattr", [Pickle.none, Pickle.string("x")]) + Pickle.emptyTuple
        + Pickle.reduce
    ),
    ("a set", [0x8F, 0x28, 0x4B, 1, 0x90]), ("a set", [0x28, 0x4B, 1, 0x91]),
    ("bytes", Pickle.bytes([1, 2])), ("bytes", [0x42, 2, 0, 0, 0, 0xFF, 0xFE]),
    ("bytes", [0x96, 1, 0, 0, 0, 0, 0, 0, 0, 0xFF]), ("bytes", [0x55, 1, 0xFF]),
    ("extension 9", [0x82, 9]),
    // 128 bits, as the states of random generators have, and 200.
    ("an integer", [0x8A, 16] + [UInt8](repeating: 1, count: 16)),
    ("an integer of 25 bytes", [0x8A, 25] + [UInt8](repeating: 1, count: 25)),
    ("an integer of 30 digits", Array("L123456789012345678901234567890L\n".utf8)),
    ("old.Class", Array("(iold\nClass\n".utf8)),
    (
      "copied.Class",
      Pickle.call(
        "copyreg", "_reconstructor",
        [Pickle.global("copied", "Class"), Pickle.global("builtins", "object"), Pickle.none])
    ),
    (
      "a tensor of torch.ComplexFloatStorage",
      Pickle.tensor(Pickle.storage("9", "ComplexFloatStorage", count: 1), shape: [1], strides: [1])
    ),
  ]

  @Test("objects are kept as names, in files of both formats", arguments: [false, true])
  func opaque(isLegacy: Bool) throws {
    for (name, pickle) in Self.objects {
      let checkpoint = try open(
        Pickle.dictionary([
          ("net", Pickle.dictionary([("a", Self.tensor)])), ("x", pickle), ("z", Pickle.integer(7)),
        ]), isLegacy: isLegacy)
      guard case .opaque(name) = checkpoint["x"], case .integer(7) = checkpoint["z"] else {
        Issue.record("\(name): \(checkpoint.root)")
        continue
      }
      #expect(try StateDictionary(checkpoint).prefix == "net/")
      #expect(try checkpoint.tensor(named: "net/a").item == 1)
    }
  }

  @Test("numbers that are not read lie before others in an old file")
  func otherStorage() throws {
    let complex = Pickle.tensor(
      Pickle.storage("9", "ComplexFloatStorage", count: 2), shape: [2], strides: [1])
    let bytes = TorchBytes.legacy(
      Pickle.dictionary([("z", complex), ("w", Self.tensor)]),
      storages: [("9", 2, [UInt8](repeating: 7, count: 16)), ("0", 1, [0, 0, 0x80, 0x3F])])
    let checkpoint = try Checkpoint(contentsOf: folder.file("test.pt", bytes))
    #expect(try checkpoint.tensor(named: "w").item == 1)
  }

  @Test("a class derived from a dictionary or a list holds what it was given")
  func derived() throws {
    let items = [("w", Self.tensor)]
    let ways = [
      Pickle.object("program", "Config", items: items),
      Pickle.call("collections", "defaultdict", [Pickle.global("builtins", "list")]) + Pickle.string("w")
        + Self.tensor + [0x73],
      Pickle.call("program", "Ordered", []) + Pickle.mark + Pickle.string("w") + Self.tensor + [0x75],
      Pickle.call("program", "Ordered", []) + Pickle.dictionary([("_metadata", Pickle.none)]) + [0x62]
        + Pickle.string("w") + Self.tensor + [0x73],
    ]
    for way in ways { #expect(try open(way).entries.map(\.path) == ["w"]) }
    let list =
      Pickle.call("collections", "deque", []) + Pickle.mark + Self.tensor + Pickle.integer(1) + [0x65]
    #expect(try open(list).entries.map(\.path) == ["0", "1"])
  }

  @Test("keys of any kind")
  func keys() throws {
    let keys = [
      Pickle.global("lightning", "ModelCheckpoint"), Pickle.integers([1, 2]), Pickle.none, [0x88],
      [0x47, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    let items = keys.flatMap { $0 + Pickle.integer(1) }
    let pickle = Pickle.emptyDictionary + Pickle.mark + items + Pickle.string("net") + Self.tensor + [0x75]
    let checkpoint = try open(pickle)
    #expect(checkpoint.entries.count == 6)
    #expect(try checkpoint.tensor(named: "net").item == 1)
  }

  @Test("a network that was saved as a whole")
  func wholeNetwork() throws {
    func module(
      _ parameters: [(String, [UInt8])], buffers: [(String, [UInt8])] = [], _ parts: [(String, [UInt8])]
    ) -> [UInt8] {
      Pickle.object(
        "program", "Net",
        state: Pickle.dictionary([
          ("training", [0x88]), ("_parameters", Pickle.dictionary(parameters)),
          ("_buffers", Pickle.dictionary(buffers)),
          ("_modules", Pickle.dictionary(parts)),
        ]))
    }
    let parameter = Pickle.call("torch._utils", "_rebuild_parameter", [Self.tensor, [0x88], Pickle.none])
    let inner = module([("weight", parameter), ("bias", Pickle.none)], [])
    let net = module(
      [], buffers: [("betas", Self.tensor)], [("0", inner), ("1", module([], [("conv", inner)]))])
    #expect(try open(net).entries.map(\.path) == ["betas", "0.weight", "1.conv.weight"])
    #expect(
      try open(Pickle.dictionary([("ema", net)])).entries.map(\.path) == [
        "ema/betas", "ema/0.weight", "ema/1.conv.weight",
      ])
  }

  @Test("a tensor of a class of its own")
  func tensorSubclass() throws {
    let storage = Pickle.storage("0", count: 1)
    let arguments = Pickle.tuple([
      storage, Pickle.integer(0), Pickle.integers([1]), Pickle.integers([1]), [0x89], Pickle.none,
    ])
    func tensor(_ function: [UInt8]) -> [UInt8] {
      Pickle.call(
        "torch._tensor", "_rebuild_from_type_v2",
        [function, Pickle.global("program", "MyTensor"), arguments, Pickle.none])
    }
    #expect(
      try open(Pickle.dictionary([("w", tensor(Pickle.global("torch._utils", "_rebuild_tensor_v2")))]))
        .tensor(named: "w").item == 1)
    expectRefusal { _ = try open(tensor(Pickle.global("torch._tensor", "_rebuild_from_type_v2"))) }
  }

  @Test("a type, a storage or a huge integer where a value should be")
  func strangeValues() throws {
    for object in [
      Pickle.global("torch", "float32"), Pickle.storage("0", count: 1), [0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ] {
      guard case .opaque = try open(Pickle.dictionary([("k", object)]))["k"] else {
        Issue.record("not opaque")
        continue
      }
    }
  }

  @Test("long lists of numbers, as losses are kept, are left out")
  func longLists() throws {
    let losses = Pickle.emptyList + Pickle.mark + (0..<300_000).flatMap { _ in Pickle.integer(1) } + [0x65]
    let checkpoint = try open(Pickle.dictionary([("losses", losses), ("w", Self.tensor)]))
    #expect(checkpoint.entries.map(\.path) == ["losses", "w"])
    #expect(try checkpoint.tensor(named: "w").item == 1)
  }
}
