import Backbones
import Base
import Checkpoints
import Features
import Images
import TensorCore
import Training

extension Operations {
  /// Masked autoencoders.
  static let mae: [String: Operation] = [
    "sincos_position_embedding": { known in
      let (channels, grid) = (try known.parameters.int("dim"), try known.parameters.int("grid"))
      return [
        "y": .tensor(
          PositionEmbedding.sinCos(
            channels: channels, grid: grid, hasClassToken: try known.parameters.bool("cls_token")))
      ]
    },
    "interpolate_position_embedding": { known in
      let table = try known.tensor("pos_embed")
      try known.parameters.expect("extra_tokens", .number(1))
      let (from, to) = (try known.parameters.int("from_grid"), try known.parameters.int("to_grid"))
      let y = PositionEmbedding.resampled(
        table.reshaped(Array(table.shape.suffix(2))), grid: from, rows: to, columns: to)
      return ["y": .tensor(y.reshaped([1] + y.shape))]
    },
    "patchify": { known in
      let x = try known.tensor("x")
      let size = try known.parameters.int("patch_size")
      let y = MAELoss.patchify(x.channelsLast, patchSize: size)
      let back = MAELoss.unpatchify(y, patchSize: size, height: x.shape[2], width: x.shape[3])
      return ["y": .tensor(y), "back": .tensor(back.channelsFirst)]
    },
    "random_masking": { known in
      let x = try known.tensor("x")
      let masks = try known.masks(try known.tensor("noise"))
      let (width, elements) = (x.shape[2], x.elements)
      let kept = masks.enumerated().flatMap { n, mask in
        mask.kept.flatMap { token in
          elements[(n * x.shape[1] + token) * width..<(n * x.shape[1] + token + 1) * width]
        }
      }
      return [
        "x_masked": .tensor(Tensor(kept, shape: [x.shape[0], masks[0].kept.count, width])),
        "mask": .tensor(Tensor(masks.flatMap(\.removed), shape: [x.shape[0], x.shape[1]])),
        "ids_restore": .integers(masks.flatMap(\.restore), shape: [x.shape[0], x.shape[1]]),
        "kept": .int(masks[0].kept.count),
      ]
    },
    "mae_loss": { known in
      let removed = try known.tensor("mask")
      let prediction = try known.tensor("pred")
      let masks = (0..<removed.shape[0]).map { TokenMask(removed: removed.slice($0).elements) }
      let (losses, gradient) = MAELoss.loss(
        prediction, pictures: try known.tensor("imgs").channelsLast,
        patchSize: try known.parameters.int("patch_size"), masks: masks,
        normalizesPatches: try known.parameters.bool("norm_pix_loss"))
      let count = Float(losses.count)
      return [
        "loss": .list([losses.reduce(0) { $0 + Double($1) } / Double(count)]),
        "d_pred": .tensor(gradient * (1 / count)),
      ]
    },
    "mae_forward": { known in
      let (network, _) = try known.maskedAutoencoder()
      let pictures = try known.tensor("imgs").channelsLast
      let masks = try known.masks(try known.tensor("noise"))
      var answers: [String: Answer] = [:]
      let latent = network.encode(pictures, masks: masks) { answers["blocks.\($0)"] = .tensor($1) }
      let painted = network.decode(latent, masks: masks) { answers["decoder_blocks.\($0)"] = .tensor($1) }
      let prediction = painted.withoutFirstToken
      let (losses, _) = MAELoss.loss(
        prediction, pictures: pictures, patchSize: network.configuration.patchSize, masks: masks,
        normalizesPatches: try known.parameters.part("config").bool("norm_pix_loss"))
      answers["latent"] = .tensor(latent)
      answers["pred"] = .tensor(prediction)
      answers["loss"] = .list([losses.reduce(0) { $0 + Double($1) } / Double(losses.count)])
      let shape = [masks.count, masks[0].restore.count]
      answers["mask"] = .tensor(Tensor(masks.flatMap(\.removed), shape: shape))
      answers["ids_restore"] = .integers(masks.flatMap(\.restore), shape: shape)
      return answers
    },
    "mae_encoder": { known in
      let (network, _) = try known.maskedAutoencoder()
      known.parameters.describesConfiguration()
      let masks = try known.masks(try known.tensor("noise"))
      let shape = [masks.count, masks[0].restore.count]
      return [
        "latent": .tensor(network.encode(try known.tensor("imgs").channelsLast, masks: masks)),
        "mask": .tensor(Tensor(masks.flatMap(\.removed), shape: shape)),
        "ids_restore": .integers(masks.flatMap(\.restore), shape: shape),
      ]
    },
    "mae_decoder": { known in
      let (network, _) = try known.maskedAutoencoder()
      known.parameters.describesConfiguration()
      let latent = try known.tensor("latent")
      let order = try known.array("ids_restore")
      let tokens = order.shape[1]
      let restore = order.int64s().map { Int($0) }
      let masks = (0..<order.shape[0]).map {
        TokenMask(
          restore: Array(restore[$0 * tokens..<($0 + 1) * tokens]), keptCount: latent.shape[1] - 1)
      }
      return ["pred": .tensor(network.decode(latent, masks: masks).withoutFirstToken)]
    },
    "mae_features": { known in
      let (network, model) = try known.maskedAutoencoder()
      known.parameters.describesConfiguration()
      let count = try known.parameters.int("num_blocks")
      let depth = network.configuration.encoder.depth
      var selection = MAESelection()
      selection.blocks = Array(depth - count..<depth)
      let features = try model.features(selection, tensors: [:], notices: Notices())
      let x = try known.tensor("image")
      try known.parameters.expect("upsample_mode", .string("bilinear"))
      try known.parameters.expect(
        "dim", .array((Array(x.shape.suffix(2)) + [features.channels]).map { .number(Double($0)) }))
      known.parameters.describes("image_file")
      return try known.mapAnswers([features.extract(x)]) { "map_\(depth - count + $0)" }
    },
    "mae_loss_grad": { known in
      let step = try known.maskedStep(
        known.stateDictionary().namedTensors, pictures: known.tensor("imgs"), noise: known.tensor("noise"))
      var answers: [String: Answer] = ["loss": .list([step.loss])]
      for (name, gradient) in step.gradients { answers["grad.\(name)"] = .tensor(gradient) }
      return answers
    },
    "mae_train": { known in
      let settings = known.parameters
      try settings.expect("optimizer", .string("AdamW"))
      let betas = try settings.doubles("betas")
      var adam = Adam(
        learningRate: 0, beta1: betas[0], beta2: betas[1], eps: try settings.double("eps"),
        weightDecay: try settings.double("weight_decay"), decay: .decoupled)
      let decay = adam.weightDecay
      let schedule = try settings.warmUpCosine()
      let stepsPerEpoch = try settings.double("steps_per_epoch")
      var parameters = try known.stateDictionary().namedTensors
      var moments = parameters.map { AdamMoments(shape: $0.tensor.shape) }
      let (pictures, noise) = (try known.tensor("imgs"), try known.tensor("noise"))
      var (losses, norms, rates) = ([Double](), [Double](), [Double]())
      for index in 0..<(try settings.int("steps")) {
        let step = try known.maskedStep(
          parameters, pictures: pictures.slice(index % pictures.shape[0]), noise: noise.slice(index))
        adam.learningRate = schedule.rate(at: Double(index) / stepsPerEpoch)
        losses.append(step.loss)
        norms.append(squaredNorm(Array(step.gradients.values)).squareRoot())
        rates.append(adam.learningRate)
        for place in parameters.indices {
          let (name, shape) = (parameters[place].name, parameters[place].tensor.shape)
          guard let gradient = step.gradients[name] else { continue }
          adam.weightDecay = MAEConfiguration.decays(name, shape: shape) ? decay : 0
          adam.update(&parameters[place].tensor, gradient: gradient, moments: &moments[place])
        }
      }
      var answers: [String: Answer] = [
        "losses": .list(losses), "grad_norms": .list(norms), "lrs": .list(rates),
      ]
      for parameter in parameters { answers["after.\(parameter.name)"] = .tensor(parameter.tensor) }
      return answers
    },
    "mae_decay_groups": { known in
      let (_, _) = try known.maskedAutoencoder()
      known.parameters.describesConfiguration()
      let tensors = try known.stateDictionary().namedTensors.filter { MAEConfiguration.isTrained($0.name) }
      func names(_ decays: Bool) -> [String] {
        tensors.filter { MAEConfiguration.decays($0.name, shape: $0.tensor.shape) == decays }.map(\.name)
      }
      return ["no_decay": .strings(names(false)), "decay": .strings(names(true))]
    },
    "mae_train_image": { known in
      let box = try known.parameters.part("crop")
      try known.parameters.expect("interpolation", .string("bicubic"))
      let crop = RandomResizedCrop(
        left: try box.int("left"), top: try box.int("top"), width: try box.int("width"),
        height: try box.int("height"), mirrors: try known.parameters.bool("flip"))
      let image = crop.apply(
        to: try Image(contentsOf: known.path(try known.parameters.string("image_file"))),
        size: try known.parameters.int("size"))
      return [
        "rgb": .integers(image.pixels, shape: [image.height, image.width, 3]),
        "tensor": .tensor(image.tensor(normalization: .imageNet)),
      ]
    },
    "mae_learning_rate": { known in
      let schedule = try known.parameters.warmUpCosine()
      return ["lr": .list(try known.array("epochs").doubles().map { schedule.rate(at: $0) })]
    },
  ]
}

extension Parameters {
  fileprivate func warmUpCosine() throws -> WarmUpCosine {
    WarmUpCosine(
      peak: try double("lr"), lowest: try double("min_lr"), warmUp: try double("warmup_epochs"),
      length: try double("epochs"))
  }

  /// The configuration was held against the network, but for what training alone needs.
  fileprivate func describesConfiguration() {
    try? part("config").describes("norm_pix_loss")
  }
}

extension KnownCase {
  /// One mask for each row of noise, with the case's ratio.
  fileprivate func masks(_ noise: Tensor) throws -> [TokenMask] {
    let ratio = try parameters.double("mask_ratio")
    return (0..<noise.shape[0]).map { TokenMask(noise: noise.slice($0).elements, ratio: ratio) }
  }

  private func maskedOptions() throws -> MAEOptions {
    let config = try parameters.part("config")
    var options = MAEOptions()
    options.heads = try config.int("num_heads")
    options.decoderHeads = try config.int("decoder_num_heads")
    return options
  }

  /// Holds a configuration that was read from a file against the case's.
  private func check(_ found: MAEConfiguration) throws {
    let config = try parameters.part("config")
    let decoder = found.decoder
    for (name, value) in [
      ("image_size", found.imageSize), ("patch_size", found.patchSize),
      ("embed_dim", found.encoder.channels), ("depth", found.encoder.depth),
      ("decoder_embed_dim", decoder?.channels ?? 0), ("decoder_depth", decoder?.depth ?? 0),
      ("mlp_ratio", found.encoder.hidden / found.encoder.channels),
    ] {
      try config.expect(name, .number(Double(value)))
    }
  }

  fileprivate func maskedAutoencoder() throws -> (MaskedAutoencoder, MAE) {
    let model = try MAE(
      Checkpoint(contentsOf: checkpointPath()), options: maskedOptions(), weights: .automatic,
      notices: Notices())
    try check(model.network.configuration)
    return (model.network, model)
  }

  /// Loss and gradients of a step.
  fileprivate func maskedStep(
    _ parameters: [NamedTensor], pictures: Tensor, noise: Tensor
  ) throws -> (loss: Double, gradients: [String: Tensor]) {
    let state = StateDictionary(parameters, file: id)
    let configuration = try MAEConfiguration(state: state, options: maskedOptions())
    try check(configuration)
    let network = MaskedAutoencoder(configuration, weights: WeightScope(state))
    let (x, masks) = (pictures.channelsLast, try masks(noise))
    let tape = Tape()
    let latent = network.encode(x, masks: masks, tape: tape)
    let painted = network.decode(latent, masks: masks, tape: tape)
    let (losses, gradient) = MAELoss.loss(
      painted.withoutFirstToken, pictures: x, patchSize: configuration.patchSize, masks: masks,
      normalizesPatches: try self.parameters.part("config").bool("norm_pix_loss"))
    let count = Double(losses.count)
    let gradients = tape.gradients(at: painted, gradient.withZeroFirstToken * Float(1 / count))
    var found: [String: Tensor] = [:]
    for parameter in parameters { found[parameter.name] = gradients[parameter.tensor] }
    return (losses.reduce(0) { $0 + Double($1) } / count, found)
  }
}

extension StateDictionary {
  fileprivate var namedTensors: [NamedTensor] {
    tensors.map { NamedTensor(name: $0.name, tensor: $0.array.tensor()) }
  }
}

extension TokenMask {
  /// Of a case that tells which patches were removed; the order does not matter to a loss.
  fileprivate init(removed: [Float]) {
    self.init(noise: removed, ratio: Double(removed.filter { $0 == 1 }.count) / Double(removed.count))
  }
}
