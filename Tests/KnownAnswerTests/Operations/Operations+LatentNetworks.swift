import Backbones
import Base
import Checkpoints
import DiffusionCore
import Features
import Foundation
import Layers
import TensorCore

extension Operations {
  /// U-Nets of latent diffusion models, their gradients and features.
  static let latentNetworks: [String: Operation] = [
    "ldm_class_embedder": { known in
      let weights = try known.weightTensors()
      let embedder = ClassEmbedder(
        classCount: try known.parameters.int("n_classes"), channels: try known.parameters.int("embed_dim"),
        weights: WeightScope(StateDictionary(weights, file: known.id)))
      let tape = Tape()
      let y = embedder(try known.ints("label"), tape: tape)
      let gradients = tape.gradients(at: y, try known.tensor("cotangent"))
      return ["y": .tensor(y), "d_w.embedding.weight": gradients[weights[0].tensor].map { .tensor($0) }]
        .compactMapValues { $0 }
    },
    "ldm_attention_heads": { known in
      let (count, width) = (
        try known.parameters.int("num_heads"), try known.parameters.int("num_head_channels")
      )
      let (channels, isLegacy) = (
        try known.parameters.int("channels"), try known.parameters.bool("legacy")
      )
      let hasTransformers = try known.parameters.bool("use_spatial_transformer")
      let configuration = UNetConfiguration(
        modelChannels: channels, outChannels: 3, levelChannels: [channels], residualBlocks: 1,
        levelHasAttention: [true],
        attention: AttentionSettings(heads: width > 0 ? .channels(width) : .count(count)),
        transformer: hasTransformers ? TransformerSettings(contextChannels: 1, isLegacy: isLegacy) : nil)
      func answer(isUpsampling: Bool) -> Answer {
        let heads = configuration.headShape(channels: channels, isUpsampling: isUpsampling)
        return .value(
          .object(
            ["heads": heads?.count, "dim_head": heads?.width, "inner_dim": heads?.inner].mapValues {
              $0.map { .number(Double($0)) } ?? .null
            }))
      }
      return [
        "input_block": answer(isUpsampling: false), "middle_block": answer(isUpsampling: false),
        "output_block": answer(isUpsampling: true),
      ]
    },
    "ldm_unet_forward": { known in
      let network = try known.latentNetwork(try known.latentWeights())
      try known.parameters.expect("use_ema", .bool(false))
      known.parameters.describes("debug_activations")
      var answers: [String: Answer] = [:]
      let places = Set(known.outputs.keys)
      let looksInside = known.id.hasSuffix("inner")
      let out = network(
        try known.tensor("x"), timesteps: try known.tensor("timesteps").elements,
        context: try known.tensorIfPresent("context"),
        observe: { place, activation in
          switch place {
          case .timeEmbedding: answers["time_embed"] = .tensor(activation)
          case .inputBlock(let index): answers["input_blocks.\(index)"] = .tensor(activation.channelsFirst)
          case .middleBlock: answers["middle_block"] = .tensor(activation.channelsFirst)
          case .outputBlock(let index):
            answers["output_blocks.\(index)"] = .tensor(activation.channelsFirst)
          }
        },
        visit: looksInside
          ? { name, activation in
            guard places.contains(name) else { return }
            answers[name] = .tensor(activation.rank == 4 ? activation.channelsFirst : activation)
          } : nil)
      answers["out"] = .tensor(out)
      return answers
    },
    "ldm_unet_loss_grad": { known in
      let checkpoint = try known.latentCheckpoint()
      let weights = try known.latentWeights()
      let network = try known.latentNetwork(weights)
      let t = try known.ints("t")
      let (xStart, noise) = (try known.tensor("x_start"), try known.tensor("noise"))
      let tape = Tape()
      let embedding = checkpoint["cond_stage_model.embedding.weight"]?.tensor()
      let context = try known.tensorIfPresent("context") ?? known.classToken(embedding, tape: tape)
      let process = try known.latentProcess()
      var options = LatentLossOptions()
      options.norm = try known.parameters.named("loss_type")
      options.elboWeight = try known.parameters.double("original_elbo_weight")
      let output = network(
        process.qSample(xStart: xStart, t: t, noise: noise), timesteps: process.modelTimesteps(t),
        context: context, training: TrainingPass(tape: tape))
      let losses = process.latentLosses(
        modelOutput: output, xStart: xStart, noise: noise, t: t, options: options)
      let gradients = tape.gradients(at: output, losses.outputGradient * (1 / Float(t.count)))
      let value = losses.loss.reduce(0, +) / Double(t.count)
      var answers: [String: Answer] = ["loss": .scalar(value)]
      for weight in weights {
        answers["grad.model.diffusion_model.\(weight.name)"] = .tensor(
          gradients[weight.tensor] ?? Tensor(zeros: weight.tensor.shape))
      }
      if let embedding {
        answers["grad.cond_stage_model.embedding.weight"] = gradients[embedding].map { .tensor($0) }
      }
      return answers
    },
    "ldm_latent": { known in
      let model = try known.latentModel()
      let isSampled = try known.parameters.bool("sampled")
      let image = try known.tensor("image")
      return [
        "latent": .tensor(
          model.latents(of: image, noise: isSampled ? try known.tensor("noise") : nil)),
        "latent_of_mean": .tensor(model.latents(of: image)),
        "decoded": .tensor(model.pictures(of: try known.tensor("z"))),
      ]
    },
    "ldm_features": { known in
      let picture = try known.tensor("image")
      let model = try known.latentModel(imageSize: max(picture.shape[2], picture.shape[3]))
      let flags = try known.networkConfiguration()
      if model.configuration.network != flags {
        throw known.parameters.mismatch("config", "\(model.configuration.network)")
      }
      let features = LatentDiffusionFeatures(
        model, steps: try known.parameters.ints("steps"), blocks: try known.parameters.ints("blocks"),
        noise: .fixed(try known.tensor("noise").slice(0).enlargedToASquare))
      let maps = try features.extract(picture.slice(0))
      let moments = columnMoments(maps.vectors(at: Array(0..<maps.pixelCount)))
      // Those of the cases are of one pixel less.
      let share = (Double(maps.pixelCount) / Double(maps.pixelCount - 1)).squareRoot()
      return [
        "latent": .tensor(model.latents(of: picture)),
        "features_at_pixels": .tensor(maps.vectors(at: try known.ints("pixel_index"))),
        "feature_mean_per_channel": .list(moments.means),
        "feature_std_per_channel": .list(moments.deviations.map { $0 * share }),
        "activation_shapes": .value(
          .array(
            maps.maps.map { .array([1, $0.channels, $0.height, $0.width].map { .number(Double($0)) }) })),
      ]
    },
  ]
}

extension Tensor {
  /// `[C, H, W]` in the corner of zeros of its longer side, for a noise that is given for square pictures.
  fileprivate var enlargedToASquare: Tensor {
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    let side = max(height, width)
    var square = [Float](repeating: 0, count: channels * side * side)
    for (index, value) in elements.enumerated() {
      let (channel, pixel) = (index / (height * width), index % (height * width))
      square[(channel * side + pixel / width) * side + pixel % width] = value
    }
    return Tensor(square, shape: [channels, side, side])
  }
}

extension KnownCase {
  /// The model in the file that the case names.
  func latentCheckpoint() throws -> LatentCheckpoint {
    try LatentCheckpoint(Checkpoint(contentsOf: checkpointPath()))
  }

  /// Weights of its U-Net as they are in training.
  fileprivate func latentWeights() throws -> [NamedTensor] {
    try latentCheckpoint().network(averaged: false).map {
      NamedTensor(name: $0.name, tensor: $0.array.tensor())
    }
  }

  /// The U-Net of the case's configuration, which is that of its file.
  fileprivate func latentNetwork(_ weights: [NamedTensor]) throws -> UNet {
    let configuration = try networkConfiguration()
    var options = LatentDiffusionOptions()
    switch configuration.attention.heads {
    case .count(let count): options.heads = count
    case .channels(let width): options.headChannels = width
    }
    options.legacy = configuration.transformer?.isLegacy
    let shapes = Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor.shape) })
    let found = try LatentDiffusionConfiguration.network(shapes: shapes, file: id, options: options)
    if found != configuration { throw parameters.mismatch("config", "\(found)") }
    return try UNet(
      configuration, weights: WeightScope(StateDictionary(weights, file: id)),
      convolutions: ConvolutionPolicy(precision: precision, imageSize: 8))
  }

  /// The whole model of the case's file.
  fileprivate func latentModel(imageSize: Int? = nil) throws -> LatentDiffusion {
    var options = LatentDiffusionOptions()
    options.imageSize = imageSize ?? 16
    options.precision = precision
    if parameters.has("scale_factor") { options.scaleFactor = try parameters.double("scale_factor") }
    parameters.describes("scale_factor")
    if parameters.has("config") {
      switch try networkConfiguration().attention.heads {
      case .count(let count): options.heads = count
      case .channels(let width): options.headChannels = width
      }
    }
    if options.attentionHeads == nil { options.heads = 1 }
    return try LatentDiffusion(Checkpoint(contentsOf: checkpointPath()), options: options)
  }

  /// What the class embedder makes of the case's labels.
  fileprivate func classToken(_ table: Tensor?, tape: Tape) throws -> Tensor? {
    guard let table, has("label") else { return nil }
    let state = StateDictionary([NamedTensor(name: "embedding.weight", tensor: table)], file: id)
    let embedder = ClassEmbedder(
      classCount: table.shape[0], channels: table.shape[1], weights: WeightScope(state))
    return embedder(try ints("label"), tape: tape)
  }
}
