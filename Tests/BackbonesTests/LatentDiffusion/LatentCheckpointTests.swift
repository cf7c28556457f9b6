import Backbones
import Base
import Checkpoints
import DiffusionCore
import Features
import TensorCore
import TestSupport
import Testing

/// What is read as a latent diffusion model, which weights it gets, and what is said of all else.
struct LatentCheckpointTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func checkpoint(_ tensors: [NamedTensor], prefix: String = "") throws -> Checkpoint {
    try RandomLatentModel.write(tensors, to: folder.path("model.safetensors"), prefix: prefix)
    return try Checkpoint(contentsOf: folder.path("model.safetensors"))
  }

  private func named(_ tensors: [NamedArray], _ prefix: String) -> [NamedTensor] {
    tensors.map { NamedTensor(name: prefix + $0.name, tensor: $0.array.tensor()) }
  }

  private func load(
    _ checkpoint: Checkpoint, weights: WeightsChoice = .automatic, notices: Notices = Notices()
  ) throws -> LatentDiffusion {
    var options = LatentDiffusionOptions()
    (options.imageSize, options.headChannels) = (32, 32)
    return try LatentDiffusion(checkpoint, options: options, weights: weights, notices: notices)
  }

  // MARK: Which kind a file is

  /// The same inner names, below the same prefix: an autoencoder beside them, or transformers, make the difference.
  @Test func pixelAndLatentModelsAreToldApart() throws {
    let pixels = named(try randomNetworkTensors(.tiny), "model.diffusion_model.")
    let registry = BackboneRegistry.standard
    let plain = try checkpoint(pixels)
    #expect(try registry.recognizing(plain).kind == "guided-diffusion")
    let notices = Notices()
    _ = try registry.features(
      of: plain, settings: ["head-channels": "32", "image-size": "32", "blocks": "1"], notices: notices)
    #expect(notices.all.contains { $0.text.contains("first_stage_model.") })
    #expect(!LatentDiffusion.recognizes(plain))
    for prefix in ["", "state_dict/", "module."] {
      for context in [nil, 8] {
        let latent = try checkpoint(RandomLatentModel(contextChannels: context).tensors(), prefix: prefix)
        #expect(try registry.recognizing(latent).kind == "latent-diffusion")
        #expect(!DiffusionBackbone.recognizes(latent))
        let error = #expect(throws: DataError.self) { try DiffusionBackbone(latent) }
        #expect(error?.found.contains("backbone latent-diffusion") == true)
      }
    }
    let other = try checkpoint(named(try randomNetworkTensors(.tiny), ""))
    #expect(try registry.recognizing(other).kind == "guided-diffusion")
    let error = #expect(throws: DataError.self) { try load(other) }
    #expect(error?.kind == .unsupported && error?.expected.contains("first_stage_model") == true)
  }

  @Test func partsAloneAreNamed() throws {
    let registry = BackboneRegistry.standard
    var model = RandomLatentModel(contextChannels: 8)
    model.hasAutoencoder = false
    let alone = try checkpoint(model.tensors())
    #expect(try registry.recognizing(alone).kind == "latent-diffusion")
    let error = #expect(throws: DataError.self) { try load(alone) }
    #expect(error?.kind == .unsupported && error?.found.contains("U-Net alone") == true)
    let facts = try LatentDiffusion.facts(
      of: LatentDiffusion.state(in: alone, weights: .automatic, notices: Notices()).state,
      options: LatentDiffusionOptions())
    #expect(facts.hindrance?.contains("first_stage_model.encoder.conv_in.weight") == true)

    let bare = try checkpoint(
      try model.tensors().map {
        NamedTensor(name: $0.name.replacing("model.diffusion_model.", with: ""), tensor: $0.tensor)
      })
    let stages =
      [RandomBackbones.autoencoderShapes(codes: 6)]
      + [RandomBackbones.autoencoderShapes(codes: nil).map { ("first_stage_model.\($0.name)", $0.shape) }]
    for (checkpoint, word) in [(bare, "whose autoencoder lies in another file")]
      + (try stages.map { (try checkpoint(RandomBackbones.tensors($0)), "autoencoder of") })
    {
      let error = #expect(throws: DataError.self) { try registry.recognizing(checkpoint) }
      #expect(error?.kind == .unsupported && error?.found.contains(word) == true, "\(error!)")
    }
  }

  /// Which no other network would be read as.
  @Test(arguments: [(7, 3, "a picture beside it"), (2, 3, "takes 2"), (3, 6, "6")])
  func networksThatAreShownSomethingElse(inChannels: Int, outChannels: Int, word: String) throws {
    var model = RandomLatentModel()
    (model.network.inChannels, model.network.outChannels) = (inChannels, outChannels)
    let error = #expect(throws: DataError.self) { try load(try checkpoint(model.tensors())) }
    #expect(error?.kind == .unsupported && error?.found.contains(word) == true)
    #expect(error?.item.hasPrefix("model.diffusion_model.") == true)
  }

  @Test func laterNetworksAreRefused() throws {
    let tensors = try RandomLatentModel(contextChannels: 8).tensors().map { tensor in
      tensor.name.hasSuffix("proj_in.weight")
        ? NamedTensor(name: tensor.name, tensor: tensor.tensor.reshaped(Array(tensor.tensor.shape.prefix(2))))
        : tensor
    }
    let error = #expect(throws: DataError.self) { try load(try checkpoint(tensors)) }
    #expect(error?.kind == .unsupported && error?.found.contains("Stable Diffusion 2") == true)
  }

  @Test(arguments: [
    "model.diffusion_model.output_blocks.1.0.skip_connection.weight",
    "first_stage_model.decoder.conv_out.bias",
    "first_stage_model.quantize.embedding.weight", "model.diffusion_model.middle_block.1.qkv.weight",
  ])
  func whatIsMissingIsNamed(name: String) throws {
    let tensors = try RandomLatentModel().tensors().filter { $0.name != name }
    let error = #expect(throws: DataError.self) { try load(try checkpoint(tensors)) }
    // Without its codebook an autoencoder is one with twice the channels.
    let named = name.contains("quantize") ? "first_stage_model.quant_conv.weight" : name
    #expect(error?.kind == .malformed && error?.description.contains(named) == true, "\(error!)")
  }

  @Test func aCodebookOfOtherVectorsIsRefused() throws {
    var tensors = try RandomLatentModel().tensors()
    let place = tensors.firstIndex { $0.name.hasSuffix("quantize.embedding.weight") }!
    tensors[place].tensor = Tensor(zeros: [6, 2])
    let error = #expect(throws: DataError.self) { try load(try checkpoint(tensors)) }
    #expect(error?.item == "first_stage_model.quantize.embedding.weight")
  }

  // MARK: Averages

  /// The model with averages of all weights but some, which are those of another seed.
  private func averaged(besides missing: Int = 0) throws -> Checkpoint {
    let raw = try RandomLatentModel().tensors()
    let other = try RandomLatentModel().tensors(seed: 2).filter { $0.name.hasPrefix("model.") }
    let averages = other.dropFirst(missing).map {
      NamedTensor(name: LatentCheckpoint.averageName(of: $0.name), tensor: $0.tensor)
    }
    let counters = ["model_ema.decay", "model_ema.num_updates"].map {
      NamedTensor(name: $0, tensor: Tensor([7], shape: [1]))
    }
    return try checkpoint(raw + averages + counters, prefix: "state_dict/")
  }

  @Test func averagesAreTakenUnlessAnotherIsNamed() throws {
    let checkpoint = try averaged()
    #expect(
      LatentDiffusion.networkNames(in: checkpoint)
        == ["state_dict/model.diffusion_model", "state_dict/model_ema"])
    #expect(try LatentCheckpoint(checkpoint).averageUpdates == 7)
    let names = "model.diffusion_model.out.2.bias"
    for (choice, seed, said) in [
      (WeightsChoice.automatic, UInt64(2), 1), (.named("model_ema"), 2, 0), (.named("model"), 1, 0),
      (.named("state_dict/model.diffusion_model"), 1, 0),
    ] {
      let notices = Notices()
      let model = try load(checkpoint, weights: choice, notices: notices)
      let state = try LatentDiffusion.state(in: checkpoint, weights: choice, notices: Notices()).state
      let expected = try RandomLatentModel().tensors(seed: seed).first { $0.name == names }!
      #expect(state[names]?.tensor() == expected.tensor)
      #expect(notices.all.count == said && state["model_ema.decay"] == nil)
      #expect(model.origin.weights?.hasSuffix(seed == 2 ? "model_ema" : "model.diffusion_model") == true)
    }
    #expect(throws: DataError.self) { try load(checkpoint, weights: .named("other")) }
  }

  @Test func averagesOfSomeWeightsAreLeftOut() throws {
    let checkpoint = try averaged(besides: 2)
    let notices = Notices()
    let model = try load(checkpoint, notices: notices)
    #expect(model.origin.weights == "state_dict/model.diffusion_model")
    #expect(
      notices.all.map(\.kind) == [.leftOut]
        && notices.all[0].text.contains("diffusion_modeltime_embed0weight"))
    #expect(throws: DataError.self) { try load(checkpoint, weights: .named("model_ema")) }
    // Counters without averages, as a file of Stable Diffusion has them, are no news.
    let none = Notices()
    _ = try load(try averaged(besides: 10_000), notices: none)
    #expect(none.all.isEmpty)
  }

  // MARK: What else a file holds

  @Test func theRestIsTold() throws {
    let rest: [(name: String, shape: [Int])] = [
      ("first_stage_model.loss.logvar", [1]),
      ("first_stage_model.loss.discriminator.main.0.weight", [2, 3, 4, 4]),
      ("cond_stage_model.transformer.text_model.embeddings.position_ids", [1, 77]), ("ddim_sigmas", [5]),
    ]
    let notices = Notices()
    _ = try load(
      try checkpoint(try RandomLatentModel().tensors() + RandomBackbones.tensors(rest)), notices: notices)
    #expect(notices.all.map(\.kind) == [.leftOut, .leftOut, .leftOut])
    for word in ["condition stage of 1", "2 tensors of a loss", "ddim_sigmas"] {
      #expect(notices.all.contains { $0.text.contains(word) })
    }
  }

  @Test func factsTellTheModel() throws {
    let checkpoint = try checkpoint(RandomLatentModel(contextChannels: 8, classes: 5, codes: nil).tensors())
    let state = try LatentDiffusion.state(in: checkpoint, weights: .automatic, notices: Notices()).state
    var options = LatentDiffusionOptions()
    options.imageSize = 64
    let facts = try LatentDiffusion.facts(of: state, options: options)
    #expect(facts.hindrance == nil && facts.activations.map(\.height) == [16, 32, 32, 32])
    #expect(facts.activations.map(\.channels) == [64, 64, 32, 32])
    #expect(zip(facts.activations, facts.activations.dropFirst()).allSatisfy { $0.costSoFar < $1.costSoFar })
    #expect(facts.activations[0].costSoFar > 0.1 && facts.activations[3].costSoFar < 1)
    let texts = facts.rows.compactMap { row in row.title.map { "\($0): \(row.text)" } }
    for text in ["first stage: KL-regularised, 1/2 of the side, 3 channels", "classes: 5", "steps: 1000"] {
      #expect(texts.contains(text))
    }
  }
}
