import Base
import Checkpoints
import DiffusionCore
import TensorCore
import TestSupport
import Testing

/// What is read as a diffusion model, and what is said of everything else.
struct CheckpointLoadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(
    _ tensors: [NamedArray], metadata: [String: String] = [:], as name: String = "x.safetensors"
  ) throws -> String {
    var writer = SafetensorsWriter(metadata: metadata)
    for tensor in tensors { writer.append(tensor.name, tensor.array) }
    try writer.write(to: folder.path(name))
    return folder.path(name)
  }

  private func named(_ tensors: [NamedArray], _ prefix: String) -> [NamedArray] {
    tensors.map { NamedArray(name: prefix + $0.name, array: $0.array) }
  }

  private func error(of path: String, weights: WeightsChoice = .automatic) -> DataError? {
    #expect(throws: DataError.self) {
      _ = try DiffusionBackbone(checkpoint: path, options: TinyWorld.options, weights: weights)
    }
  }

  @Test(arguments: ["_orig_mod.", "denoise_fn.", "net.unet."])
  func prefixedNetworksAreTheSame(prefix: String) throws {
    let plain = try randomNetworkTensors(.tiny)
    let path = try write(
      named(plain, prefix) + [NamedArray(name: "betas", array: NumericArray([1, 2] as [Float], shape: [2]))])
    let backbone = try DiffusionBackbone(checkpoint: path, options: TinyWorld.options)
    #expect(backbone.checkpoint.weights == String(prefix.dropLast()))
    let x = Tensor(repeating: 0.5, shape: [1, 3, 16, 16])
    #expect(backbone.network(x, timesteps: [3]) == (try randomNetwork(.tiny))(x, timesteps: [3]))
  }

  @Test func movingAverageIsTakenUnlessAnotherIsNamed() throws {
    let (raw, average) = (try randomNetworkTensors(.tiny, seed: 1), try randomNetworkTensors(.tiny, seed: 2))
    let path = try write(named(raw, "model.") + named(average, "model_ema."))
    let x = Tensor(repeating: 0.5, shape: [1, 3, 16, 16])
    for (choice, seed, name) in [
      (WeightsChoice.automatic, UInt64(2), "model_ema"), (.named("model"), 1, "model"),
      (.named("model_ema"), 2, "model_ema"),
    ] {
      let notices = Notices()
      let backbone = try DiffusionBackbone(
        checkpoint: path, options: TinyWorld.options, weights: choice, notices: notices)
      #expect(backbone.checkpoint.weights == name)
      #expect(
        backbone.network(x, timesteps: [3]) == (try randomNetwork(.tiny, seed: seed))(x, timesteps: [3]))
      #expect(notices.all.count == (choice == .automatic ? 1 : 0))
    }
    #expect(error(of: path, weights: .named("other"))?.kind == .invalidArgument)
  }

  @Test(arguments: [(Float.nan, 5), (.infinity, 0), (-.infinity, 31)])
  func weightsThatAreNoNumbersAreCounted(_ value: Float, place: Int) throws {
    for half in [false, true] {
      var writer = SafetensorsWriter()
      for (index, tensor) in try randomNetworkTensors(.tiny).enumerated() {
        var elements = tensor.array.tensor().elements
        if index == 2 { elements[place] = value }
        writer.append(
          tensor.name, Tensor(elements, shape: tensor.array.shape), as: half ? .float16 : .float32)
      }
      try writer.write(to: folder.path("nan.safetensors"))
      let bad = try randomNetworkTensors(.tiny)[2]
      let error = error(of: folder.path("nan.safetensors"))
      #expect(error?.item == bad.name && error?.isAboutContent == true)
      #expect(error?.found.hasPrefix("1 of \(bad.array.count) ") == true)
    }
  }

  @Test(arguments: [(1, "grey"), (6, "upsampler"), (4, "latents"), (9, "inpainting"), (5, "5 channels")])
  func networksForOtherThanColourPictures(channels: Int, word: String) throws {
    var configuration = UNetConfiguration.tiny
    (configuration.inChannels, configuration.outChannels) = (channels, 6)
    let error = error(of: try write(named(randomNetworkTensors(configuration), "ema.")))
    #expect(error?.kind == .unsupported && error?.item == "ema.input_blocks.0.0.weight")
    #expect(error?.found.contains(word) == true)
  }

  @Test func networksThatGiveSomethingElse() throws {
    var configuration = UNetConfiguration.tiny
    configuration.outChannels = 4
    #expect(error(of: try write(randomNetworkTensors(configuration)))?.item == "out.2.weight")
  }

  static let others: [(names: [String], word: String)] = [
    (
      ["model.diffusion_model.time_embed.0.weight", "first_stage_model.encoder.conv_in.weight"],
      "latent diffusion"
    ),
    (["time_embed.0.weight", "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"], "latent diffusion"),
    (["time_embedding.linear_1.weight", "down_blocks.0.resnets.0.norm1.weight"], "diffusers"),
    (
      [
        "time_embedding.linear_1.weight", "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight",
      ],
      "Stable Diffusion"
    ),
    (["model.init_conv.weight", "model.time_mlp.1.weight", "betas"], "denoising-diffusion-pytorch"),
    (
      [
        "time_embed.0.weight", "input_blocks.0.0.weight", "middle_block.0.in_layers.0.weight", "out.0.weight",
      ], "classifier"
    ),
    (["temb.dense.0.weight", "conv_in.weight"], "DDIM"), (["module.all_modules.0.W"], "score_sde"),
    (["model.map_layer0.weight"], "EDM"), (["blocks.0.adaLN_modulation.1.weight"], "DiT"),
    (["encoder.conv_in.weight", "decoder.conv_in.weight"], "autoencoder"),
    (["layers.0.weight", "layers.2.running_mean"], "pixel classifier"),
    (["model.patch_embed.proj.weight"], "vision transformer"),
    (["module.conv1.weight", "module.layer1.0.conv1.weight"], "ResNet"),
    (["g_ema.to_rgbs.0.bias"], "StyleGAN"), (["unet.lora_down.weight"], "LoRA"),
    (["something.else"], "something.else"), ([], "empty"),
  ]

  @Test(arguments: others)
  func otherFilesAreNamed(_ other: (names: [String], word: String)) throws {
    let tensors = other.names.map { NamedArray(name: $0, array: NumericArray([0] as [Float], shape: [1])) }
    let error = error(of: try write(tensors))
    #expect(error?.kind == .unsupported && error?.found.contains(other.word) == true, "\(error?.found ?? "")")
  }

  @Test func segmentersAndFeaturesAreNamed() throws {
    let tensors = [NamedArray(name: "a/step50/block1", array: NumericArray([0] as [Float], shape: [1]))]
    #expect(
      error(of: try write(tensors, metadata: ["segmenter": "{}"]))?.found.contains("--segmenter") == true)
    #expect(
      error(of: try write(tensors, metadata: ["program": "x"]))?.found.contains("dseg features") == true)
  }

  // MARK: Settings that contradict the file

  @Test(arguments: [
    (["dseg.image_size": "64"], "image size 32"), (["dseg.head_channels": "16"], "head channels 32"),
    (["dseg.heads": "4"], "head channels 32"), (["dseg.attention_order": "new"], "attention order legacy"),
    (["dseg.noise_schedule": "cosine"], "noise schedule linear"),
    (["dseg.diffusion_steps": "500"], "diffusion steps 1000"),
    (["dseg.rescale_timesteps": "true"], "rescale timesteps false"),
  ])
  func contradictionsAreSaid(_ metadata: [String: String], item: String) throws {
    let notices = Notices()
    TinyWorld.options.noticeContradictions(
      to: try DiffusionOptions(metadata: metadata, file: "f"), metadata: metadata, file: "f", notices: notices
    )
    #expect(notices.all.map(\.item) == [item] && notices.all[0].kind == .suspicious)
  }

  @Test func whatTheFileDoesNotSayContradictsNothing() throws {
    let notices = Notices()
    let metadata = ["dseg.image_size": "32", "dseg.head_channels": "32"]
    TinyWorld.options.noticeContradictions(
      to: try DiffusionOptions(metadata: metadata, file: "f"), metadata: metadata, file: "f", notices: notices
    )
    TinyWorld.options.noticeContradictions(to: DiffusionOptions(), metadata: [:], file: "f", notices: notices)
    #expect(notices.all.isEmpty)
    // A segmenter knows all settings.
    TinyWorld.options.noticeContradictions(to: DiffusionOptions(), file: "f", notices: notices)
    #expect(Set(notices.all.map(\.item)) == ["image size 32", "head channels 32"])
  }

  /// As version 0.1.0 wrote them when heads were changed.
  @Test func bothWaysToDivideHeadsAreSaid() throws {
    let notices = Notices()
    let options = try DiffusionOptions(
      metadata: ["dseg.heads": "4", "dseg.head_channels": "32"], notices: notices, file: "f")
    #expect(options.attention.heads == .channels(32))
    #expect(notices.all.map(\.kind) == [.guessed])
  }
}
