import Backbones
import Checkpoints
import Layers
import TensorCore

extension Operations {
  /// Autoencoders and transformers of latent diffusion models.
  static let latentDiffusion: [String: Operation] = [
    "ldm_ae_downsample": { known in
      try known.parameters.expect("with_conv", .bool(true))
      return try known.layerAnswers { weights in
        let layer = AutoencoderDownsample(channels: try known.parameters.int("channels"), weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
    "ldm_ae_upsample": { known in
      try known.parameters.expect("with_conv", .bool(true))
      return try known.layerAnswers { weights in
        let layer = AutoencoderUpsample(
          channels: try known.parameters.int("channels"), algorithm: known.algorithm, weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
    "ldm_ae_resnet_block": { known in
      try known.layerAnswers { weights in
        let layer = AutoencoderResBlock(
          channels: try known.parameters.int("in_channels"),
          outChannels: try known.parameters.int("out_channels"), algorithm: { _, _ in known.algorithm },
          weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
    "ldm_ae_attn_block": { known in
      try known.layerAnswers { weights in
        let layer = AutoencoderAttention(channels: try known.parameters.int("channels"), weights: weights)
        return { layer($0[0], tape: $1) }
      }
    },
    "ldm_cross_attention": { known in
      try known.contextAnswers { weights in
        let layer = CrossAttention(
          channels: try known.parameters.int("query_dim"),
          contextChannels: try known.parameters.intIfPresent("context_dim"),
          heads: try known.parameters.int("heads"), headChannels: try known.parameters.int("dim_head"),
          weights: weights)
        return { layer($0, context: $1, tape: $2) }
      }
    },
    "ldm_feed_forward": { known in
      try known.parameters.expect("gated", .bool(true))
      return try known.contextAnswers { weights in
        let layer = GatedFeedForward(channels: try known.parameters.int("dim"), weights: weights)
        return { x, _, tape in layer(x, tape: tape) }
      }
    },
    "ldm_basic_transformer_block": { known in
      try known.contextAnswers { weights in
        let layer = ContextTransformerBlock(
          channels: try known.parameters.int("dim"),
          contextChannels: try known.parameters.intIfPresent("context_dim"),
          heads: try known.parameters.int("heads"), headChannels: try known.parameters.int("dim_head"),
          weights: weights)
        return { layer($0, context: $1, tape: $2) }
      }
    },
    "ldm_spatial_transformer": { known in
      try known.contextAnswers { weights in
        let layer = SpatialTransformer(
          channels: try known.parameters.int("channels"),
          contextChannels: try known.parameters.intIfPresent("context_dim"),
          heads: try known.parameters.int("heads"), headChannels: try known.parameters.int("dim_head"),
          depth: try known.parameters.int("depth"), weights: weights)
        return { layer($0, context: $1, tape: $2) }
      }
    },
    "ldm_gaussian_posterior": { known in
      let posterior = GaussianPosterior(moments: try known.tensor("moments").channelsLast)
      let calm = GaussianPosterior(moments: try known.tensor("calm").channelsLast)
      let other = GaussianPosterior(moments: try known.tensor("other").channelsLast)
      return [
        "mean": .tensor(posterior.mean.channelsFirst), "logvar": .tensor(posterior.logVariance.channelsFirst),
        "std": .tensor(posterior.deviation.channelsFirst), "mode": .tensor(posterior.mean.channelsFirst),
        "sample": .tensor(posterior.sample(noise: try known.tensor("noise").channelsLast).channelsFirst),
        "kl_extreme": .list(posterior.klDivergences), "kl": .list(calm.klDivergences),
        "kl_to_other": .list(calm.klDivergences(from: other)),
        "nll": .list(calm.negativeLogLikelihoods(of: try known.tensor("sample").channelsLast)),
      ]
    },
    "ldm_kl_encode": { known in
      let model = try known.autoencoder()
      var answers: [String: Answer] = [:]
      let moments = model.encode(try known.tensor("image").channelsLast) {
        answers[$0] = .tensor($1.channelsFirst)
      }
      known.parameters.describes("debug_activations")
      let posterior = GaussianPosterior(moments: moments)
      answers["moments"] = .tensor(moments.channelsFirst)
      answers["mean"] = .tensor(posterior.mean.channelsFirst)
      answers["logvar"] = .tensor(posterior.logVariance.channelsFirst)
      answers["sample"] = .tensor(
        posterior.sample(noise: try known.tensor("noise").channelsLast).channelsFirst)
      answers["kl"] = .list(posterior.klDivergences)
      return answers
    },
    "ldm_kl_decode": { known in
      let model = try known.autoencoder()
      var answers: [String: Answer] = [:]
      known.parameters.describes("debug_activations")
      let image = model.decode(try known.tensor("z").channelsLast) {
        answers[$0] = .tensor($1.channelsFirst)
      }
      answers["image"] = .tensor(image.channelsFirst)
      return answers
    },
    "ldm_vq_encode": { known in
      let model = try known.autoencoder()
      var answers: [String: Answer] = [:]
      known.parameters.describes("debug_activations")
      let h = model.encode(try known.tensor("image").channelsLast) {
        answers[$0] = .tensor($1.channelsFirst)
      }
      answers["h"] = .tensor(h.channelsFirst)
      return answers
    },
    "ldm_vq_decode": { known in
      let model = try known.autoencoder()
      var answers: [String: Answer] = [:]
      known.parameters.describes("debug_activations")
      let h = try known.tensor("h").channelsLast
      let image = model.decode(h) { answers[$0] = .tensor($1.channelsFirst) }
      let indices = model.codebook!.nearest(h)
      let loss = model.codebook!.loss(of: h, indices: indices, commitment: 0.25, isLegacy: true)
      answers["image"] = .tensor(image.channelsFirst)
      answers["image_not_quantized"] = .tensor(model.decode(h, quantizes: false).channelsFirst)
      answers["indices"] = .integers(indices, shape: Array(h.shape.dropLast()))
      answers["loss"] = .list([loss.value])
      return answers
    },
    "ldm_quantize": { known in
      let z = try known.tensor("z").channelsLast
      let codebook = Codebook(vectors: try known.tensor("embedding"))
      let shape = Array(z.shape.dropLast())
      try known.parameters.expect("n_embed", .number(Double(codebook.vectors.shape[0])))
      try known.parameters.expect("embed_dim", .number(Double(codebook.vectors.shape[1])))
      let indices = codebook.nearest(z)
      let entry = codebook.vectors(indices, shape: shape)
      let loss = codebook.loss(
        of: z, indices: indices, commitment: try known.parameters.double("beta"),
        isLegacy: try known.parameters.bool("legacy"))
      // What the cases differentiate: the output along the cotangent, which goes straight through, and the loss.
      let weight = Float(try known.parameters.double("loss_weight"))
      let straight = try known.tensor("cotangent").channelsLast
      return [
        "indices": .integers(indices, shape: shape), "z_q": .tensor(entry.channelsFirst),
        "codebook_entry": .tensor(entry.channelsFirst), "loss": .list([loss.value]),
        "d_z": .tensor((straight + loss.latents * weight).channelsFirst),
        "d_embedding": .tensor(loss.vectors * weight),
      ]
    },
  ]
}

extension KnownCase {
  /// Output and gradients of a layer of tokens or pictures, perhaps with a context.
  fileprivate func contextAnswers(
    load: (WeightScope) throws -> (_ x: Tensor, _ context: Tensor?, _ tape: Tape?) -> Tensor
  ) throws -> [String: Answer] {
    let weights = try weightTensors()
    let scope = WeightScope(StateDictionary(weights, file: id))
    let layer = try load(scope)
    try scope.finish()
    let given = try tensor("x")
    let isPicture = given.rank == 4
    let (x, context) = (isPicture ? given.channelsLast : given, try tensorIfPresent("context"))
    let tape = Tape()
    let y = layer(x, context, tape)
    let cotangent = try tensor("cotangent")
    let gradients = tape.gradients(at: y, isPicture ? cotangent.channelsLast : cotangent)
    var answers: [String: Answer] = ["y": .tensor(isPicture ? y.channelsFirst : y)]
    answers["d_x"] = gradients[x].map { .tensor(isPicture ? $0.channelsFirst : $0) }
    if let context { answers["d_context"] = gradients[context].map { .tensor($0) } }
    for weight in weights { answers["d_w.\(weight.name)"] = gradients[weight.tensor].map { .tensor($0) } }
    return answers
  }

  /// The autoencoder of the case's checkpoint, which has the case's configuration.
  func autoencoder() throws -> Autoencoder {
    let checkpoint = try parameters.part("checkpoint")
    checkpoint.describes("wrapped_under")
    let prefix = try checkpoint.string("key_prefix")
    let all = try StateDictionary(Checkpoint(contentsOf: path(try checkpoint.string("file"))))
    let state = StateDictionary(
      all.tensors.compactMap { tensor in
        tensor.name.hasPrefix(prefix)
          ? NamedArray(name: String(tensor.name.dropFirst(prefix.count)), array: tensor.array) : nil
      }, file: id)
    let found = try AutoencoderConfiguration(state: state)
    let config = try parameters.part("config")
    // The size that attention is told by, and what holds in training.
    config.describes("resolution", "dropout", "attn_resolutions", "attn_type")
    try config.expect("ch", .number(Double(found.channels)))
    try config.expect(
      "ch_mult", .array(found.levelChannels.map { .number(Double($0) / Double(found.channels)) }))
    try config.expect("z_channels", .number(Double(found.latentChannels)))
    try config.expect("embed_dim", .number(Double(found.embedChannels)))
    try config.expect("num_res_blocks", .number(Double(found.residualBlocks)))
    for name in ["in_channels", "out_ch"] { try config.expect(name, .number(Double(found.inChannels))) }
    let isGaussian = found.bottleneck == .gaussian
    try config.expect("double_z", .bool(isGaussian))
    try config.expect("kind", .string(isGaussian ? "kl" : "vq"))
    if case .codebook(let codes) = found.bottleneck { try config.expect("n_embed", .number(Double(codes))) }
    config.describes("n_embed")
    return Autoencoder(
      found, convolutions: ConvolutionPolicy(precision: precision, imageSize: 16), weights: WeightScope(state)
    )
  }
}
