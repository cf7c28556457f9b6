import Base
import Checkpoints
import TestSupport
import Testing

@Suite("Networks in checkpoints")
struct NetworkListTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let tensor = Pickle.tensor(Pickle.storage("0", count: 1), shape: [1], strides: [1])

  /// A network of two tensors under a prefix.
  static func net(_ prefix: String = "") -> [(String, [UInt8])] {
    [("\(prefix)first.weight", tensor), ("\(prefix)last.bias", tensor)]
  }

  func list(_ items: [(String, [UInt8])]) throws -> NetworkList {
    let file = TorchBytes.zip(Pickle.dictionary(items), storages: ["0": [0, 0, 0x80, 0x3F]])
    return try NetworkList(Checkpoint(contentsOf: folder.file("test.pt", file)), anchor: "first.weight")
  }

  @Test(
    "any prefix is found",
    arguments: [
      "", "module.", "_orig_mod.", "module._orig_mod.", "model.", "model.diffusion_model.", "denoise_fn.",
      "ema_model.",
      "net.unet.", "a.0.b.",
    ])
  func prefixes(prefix: String) throws {
    let extra = [("betas", Self.tensor), ("criterion.weight", Self.tensor)]
    for (items, path) in [
      (Self.net(prefix), ""), (Self.net(prefix) + (prefix.isEmpty ? [] : extra), ""),
      ([("state_dict", Pickle.dictionary(Self.net(prefix)))], "state_dict/"),
      (
        [("a", Pickle.dictionary([("b", Pickle.dictionary(Self.net(prefix)))])), ("step", Self.tensor)],
        "a/b/"
      ),
    ] {
      let networks = try list(items)
      let member = try #require(try networks.chosen(.automatic))
      let state = try networks.state(of: member)
      #expect(state.prefix == path + prefix)
      #expect(state.tensors.map(\.name) == ["first.weight", "last.bias"])
    }
  }

  @Test("a name that only ends alike is another one")
  func boundary() throws {
    #expect(try list([("my_first.weight", Self.tensor)]).members.isEmpty)
  }

  static func dictionary(_ names: String...) -> [(String, [UInt8])] {
    names.map { ($0, Pickle.dictionary(net())) }
  }

  @Test(
    "the moving average is taken of several, and it is said",
    arguments: [
      (dictionary("model", "ema"), "ema"), (dictionary("ema", "model"), "ema"),
      (dictionary("state_dict", "ema_state_dict"), "ema_state_dict"),
      (dictionary("net", "model_ema", "optimizer"), "model_ema"),
      (dictionary("model", "ema_0.9999"), "ema_0.9999"), (dictionary("params", "params_ema"), "params_ema"),
      (dictionary("model_state_dict", "swa_state_dict"), "swa_state_dict"),
      (net("model.") + net("ema_model."), "ema_model"), (net() + net("ema."), "ema"),
      (net("online_model.model.") + net("ema_model.model."), "ema_model.model"),
      ([("state_dict", Pickle.dictionary(net("model.") + net("model_ema.")))], "state_dict/model_ema"),
    ])
  func averages(items: [(String, [UInt8])], name: String) throws {
    let notices = Notices()
    let networks = try list(items)
    let member = try #require(try networks.chosen(.automatic, notices: notices))
    #expect(member.name == name && member.isAverage)
    #expect(try networks.state(of: member).tensors.map(\.name) == ["first.weight", "last.bias"])
    #expect(notices.all.count == 1 && notices.all[0].kind == .guessed && notices.all[0].item == name)
  }

  @Test(
    "of what optimizers keep nothing is taken",
    arguments: [
      "optimizer", "optimizer_states", "opt", "optim_g", "exp_avg", "exp_avg_sq", "momentum", "adam.mean",
    ])
  func optimizers(key: String) throws {
    let notices = Notices()
    let networks = try list([(key, Pickle.dictionary(Self.net()))] + Self.dictionary("model"))
    #expect(try networks.chosen(.automatic, notices: notices)?.name == "model")
    #expect(notices.all.isEmpty)
  }

  @Test("where there is nothing to prefer, the choice must be made, by whole names or parts")
  func choice() throws {
    let networks = try list([("nets", Pickle.dictionary(Self.net("unet.a.") + Self.net("unet.b.")))])
    expectRefusal(.malformed, mentions: "test.pt", "--weights", "nets/unet.a, nets/unet.b") {
      _ = try networks.chosen(.automatic)
    }
    for name in ["nets/unet.b", "nets/unet.b.", "b", "unet.b", "unet/b"] {
      #expect(try networks.chosen(.named(name))?.name == "nets/unet.b")
    }
    for name in ["unet", "nets", "c", "", "nets/unet.c"] {
      expectRefusal(.invalidArgument, mentions: "nets/unet.a, nets/unet.b") {
        _ = try networks.chosen(.named(name))
      }
    }
    let top = try list(Self.net() + Self.net("ema."))
    #expect(try top.chosen(.named("."))?.prefix == "")
    #expect(try top.chosen(.named("ema"))?.prefix == "ema.")
  }

  @Test("what version 0.1.0 took")
  func version010() throws {
    for (names, expected) in [
      (Self.dictionary("ema_state_dict", "state_dict"), "state_dict"),
      (Self.dictionary("state_dict", "model_state_dict"), "model_state_dict"),
      (Self.dictionary("model", "other"), "model"), (Self.dictionary("anything"), "anything"),
    ] {
      #expect(try list(names).chosen(.version010)?.name == expected)
    }
  }

  @Test("a network with numbers that cannot be read")
  func unreadable() throws {
    let complex = Pickle.tensor(
      Pickle.storage("9", "ComplexFloatStorage", count: 1), shape: [1], strides: [1])
    for name in ["first.weight", "middle.weight"] {
      let networks = try list([("ema", Pickle.dictionary(Self.net() + [(name, complex)]))])
      let member = try #require(try networks.chosen(.automatic))
      expectRefusal(.unsupported, mentions: "ema/\(name)", "ComplexFloatStorage") {
        _ = try networks.state(of: member)
      }
    }
  }
}
