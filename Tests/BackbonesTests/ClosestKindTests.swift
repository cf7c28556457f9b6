import Backbones
import Base
import Checkpoints
import TensorCore
import TestSupport
import Testing

/// What is said of files that are no model of any kind.
struct ClosestKindTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ names: [String]) throws -> DataError? {
    try RandomBackbones.write(names.map { ($0, [2]) }, to: folder.path("model.safetensors"))
    let checkpoint = try Checkpoint(contentsOf: folder.path("model.safetensors"))
    return #expect(throws: DataError.self) { try BackboneRegistry.standard.recognizing(checkpoint) }
  }

  private static let network = [
    "input_blocks.0.0.weight", "middle_block.0.in_layers.0.weight", "out.2.weight",
  ]

  @Test(arguments: [
    (
      ["encoder.pos_embed", "encoder.cls_token", "encoder.blocks.0.attn.qkv.weight"], "mae",
      "patch_embed.proj.weight, blocks.0.mlp.fc1.weight"
    ),
    (
      ["module.conv1.weight", "module.bn1.running_mean", "module.layer1.0.conv3.weight"], "swav",
      "layer1.0.conv1.weight, layer1.0.bn3.running_var"
    ),
    (network, "guided-diffusion", "time_embed.0.weight, output_blocks.0.0.in_layers.0.weight"),
    // A name of the middle of another is none.
    (
      network + ["sometime_embed.0.weight"], "guided-diffusion",
      "time_embed.0.weight, output_blocks.0.0.in_layers"
    ),
  ])
  func missingIsNamed(names: [String], kind: String, missing: String) throws {
    let error = try refusal(names)
    #expect(error?.kind == .unsupported)
    let found = error?.found ?? ""
    #expect(found.contains("closest to \(kind) but") && found.contains("have no \(missing)"), "\(found)")
    for kind in BackboneRegistry.standard.kinds { #expect(error?.expected.contains(kind.kind) == true) }
  }

  @Test(arguments: [["conv1.weight", "fc.weight"], ["a", "b"], ["out.2.weight"]])
  func resemblesNone(names: [String]) throws {
    #expect(try refusal(names)?.found.hasPrefix("none of its names") == true)
  }

  /// A file of every kind.
  private static let files: [(kind: String, write: @Sendable (String) throws -> Void)] = [
    ("guided-diffusion", { try $0.copy(of: TinyWorld(pictures: 1)) }),
    ("latent-diffusion", { try RandomLatentModel.write(RandomLatentModel().tensors(), to: $0) }),
    ("mae", { try RandomBackbones.write(RandomBackbones.maeShapes(decoder: nil), to: $0) }),
    ("swav", { try RandomBackbones.write(RandomBackbones.resNetShapes(), to: $0) }),
  ]

  /// A kind that a file is not of, called by its name.
  @Test(arguments: files.map(\.kind))
  func wrongKindIsToldTheRightOne(kind: String) throws {
    let path = folder.path("own.safetensors")
    try Self.files.first { $0.kind == kind }!.write(path)
    let checkpoint = try Checkpoint(contentsOf: path)
    let registry = BackboneRegistry.standard
    #expect(try registry.kind(of: checkpoint, named: kind).kind == kind)
    // The names of the two diffusions are the same; they speak for themselves.
    let wrong = ["mae", "swav"].first { $0 != kind }!
    let error = #expect(throws: DataError.self) { try registry.features(of: checkpoint, kind: wrong) }
    let (expected, found) = (error?.expected ?? "", error?.found ?? "")
    #expect(expected.hasPrefix(wrong) && found.hasPrefix(kind) && error?.file == path, "\(found)")
  }

  @Test func unknownFileOfAKindIsToldWhatIsMissing() throws {
    let path = folder.path("model.safetensors")
    try RandomBackbones.write(
      ["encoder.pos_embed", "encoder.cls_token", "encoder.blocks.0.attn.qkv.weight"].map { ($0, [2]) },
      to: path)
    let checkpoint = try Checkpoint(contentsOf: path)
    let error = #expect(throws: DataError.self) {
      try BackboneRegistry.standard.kind(of: checkpoint, named: "swav")
    }
    let found = error?.found ?? ""
    #expect(found.contains("closest to mae but have no patch_embed.proj.weight"), "\(found)")
  }

  /// Every kind's own files have its landmarks.
  @Test func landmarksAreInEveryModel() throws {
    let path = folder.path("own.safetensors")
    let files = Self.files
    #expect(Set(files.map(\.kind)) == Set(BackboneRegistry.standard.kinds.map { $0.kind }))
    for (kind, write) in files {
      try write(path)
      let names = try Checkpoint(contentsOf: path).tensors.map(\.name)
      for landmark in try BackboneRegistry.standard.named(kind).landmarks {
        let isThere = names.contains { $0.hasSuffix(landmark) }
        #expect(isThere, "\(kind): \(landmark)")
      }
    }
  }
}

extension String {
  /// Writes a world's model to this path.
  fileprivate func copy(of world: TinyWorld) throws {
    var writer = SafetensorsWriter()
    for tensor in try Checkpoint(contentsOf: world.checkpoint).tensors {
      writer.append(tensor.name, tensor.array)
    }
    try writer.write(to: self)
  }
}
