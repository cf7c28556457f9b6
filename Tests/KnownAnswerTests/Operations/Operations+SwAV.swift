import Backbones
import Base
import Checkpoints
import Features
import Layers
import TensorCore

extension Operations {
  /// Residual networks and SwAV.
  static let swav: [String: Operation] = [
    "max_pool": { known in
      let x = try known.tensor("x").channelsLast
      let (size, stride, padding) = (
        try known.parameters.int("kernel"), try known.parameters.int("stride"),
        try known.parameters.int("padding")
      )
      let y = maxPool2d(x, kernelSize: size, stride: stride, padding: padding)
      var answers: [String: Answer] = ["y": .tensor(y.channelsFirst)]
      if let gradient = try known.tensorIfPresent("cotangent")?.channelsLast {
        answers["d_x"] = .tensor(
          maxPool2dBackward(gradient, x: x, kernelSize: size, stride: stride, padding: padding).channelsFirst)
      }
      return answers
    },
    "batch_norm_2d": { known in
      let x = try known.tensor("x").channelsLast
      let names = ["weight", "bias", "running_mean", "running_var"]
      let parameters = try names.map { NamedTensor(name: $0, tensor: try known.tensor($0)) }
      let layer = BatchNorm2d(
        channels: x.shape[3], eps: Float(try known.parameters.double("eps")),
        momentum: Float(try known.parameters.double("momentum")),
        weights: WeightScope(StateDictionary(parameters, file: known.id)))
      let tape = Tape()
      var answers: [String: Answer] = [:]
      let y: Tensor
      if try known.parameters.bool("train") {
        let (result, updated) = layer.training(x, tape: tape)
        y = result
        answers["running_mean_after"] = .tensor(updated.state.runningMean)
        answers["running_var_after"] = .tensor(updated.state.runningVariance)
      } else {
        y = layer(x, tape: tape)
      }
      answers["y"] = .tensor(y.channelsFirst)
      let gradients = tape.gradients(at: y, try known.tensor("cotangent").channelsLast)
      answers["d_x"] = gradients[x].map { .tensor($0.channelsFirst) }
      answers["d_weight"] = gradients[parameters[0].tensor].map { .tensor($0) }
      answers["d_bias"] = gradients[parameters[1].tensor].map { .tensor($0) }
      return answers
    },
    "bottleneck": { known in
      let x = try known.tensor("x").channelsLast
      try known.parameters.expect("momentum", .number(0.1))
      let planes = try known.parameters.int("planes")
      let shape = ResNetConfiguration.Block(
        width: planes, outChannels: 4 * planes, hasDownsample: try known.parameters.bool("downsample"),
        stride: try known.parameters.int("stride"),
        dilation: try known.parameters.intIfPresent("dilation") ?? 1)
      let weights = try known.weightTensors()
      let state = StateDictionary(weights, file: known.id)
      let eps = Float(try known.parameters.double("eps"))
      func block(_ use: NetworkUse) -> ResNetBottleneck {
        let isWinograd = known.precision == .fast && shape.stride == 1 && shape.dilation == 1
        return ResNetBottleneck(
          shape, inChannels: x.shape[3], eps: eps, algorithm: isWinograd ? .winograd4 : .im2col, use: use,
          weights: WeightScope(state))
      }
      if try known.parameters.bool("train") {
        let layer = block(.training)
        return try known.trainingAnswers(weights, x: x) { layer(x, tape: $0, statistics: $1) }
      }
      // Both forms: folded, and as it is trained.
      return [
        "y": .tensor((known.precision == .fast ? block(.inference)(x) : block(.training)(x)).channelsFirst)
      ]
    },
    "resnet_forward": { known in
      let network = try known.residualNetwork().network
      let x = try known.tensor("x").channelsLast
      let counts = network.configuration.stages.map(\.count)
      let ends = counts.indices.map { counts[0...$0].reduce(0, +) }
      let outputs = network.inputs(of: [0] + ends, for: x)
      var answers: [String: Answer] = ["stem": .tensor(outputs[0].channelsFirst)]
      for (stage, output) in outputs.dropFirst().enumerated() {
        answers["layer\(stage + 1)"] = .tensor(output.channelsFirst)
      }
      let last = outputs[outputs.count - 1]
      answers["pooled"] = .tensor(
        sumOfPixels(last) * (1 / Float(last.shape[1] * last.shape[2])))
      return answers
    },
    "swav_features": { known in
      let features = try known.residualNetwork().features(
        SwAVSelection(), tensors: [:], notices: Notices())
      let x = try known.tensor("x")
      try known.parameters.expect("input_activations", .bool(true))
      try known.parameters.expect("upsample_mode", .string("bilinear"))
      try known.parameters.expect(
        "dim", .array((Array(x.shape.suffix(2)) + [features.channels]).map { .number(Double($0)) }))
      // Where the picture came from.
      known.parameters.describes("image_file")
      return try known.mapAnswers((0..<x.shape[0]).map { try features.extract(x.slice($0)) }) { "map_\($0)" }
    },
  ]
}

extension KnownCase {
  /// The residual network of the case's checkpoint, which has the case's configuration.
  fileprivate func residualNetwork() throws -> SwAV {
    var options = SwAVOptions()
    options.precision = precision
    let model = try SwAV(
      Checkpoint(contentsOf: checkpointPath()), options: options, weights: .automatic, notices: Notices())
    let (found, config) = (model.network.configuration, try parameters.part("config"))
    config.describes("network")
    try config.expect("layers", .array(found.stages.map { .number(Double($0.count)) }))
    try config.expect("stem", .number(Double(found.stem)))
    let block = found.stages[0][0]
    try config.expect("expansion", .number(Double(block.outChannels) / Double(block.width)))
    return model
  }

  /// Each map of all pictures, `[N, C, h, w]`, and vectors of some pixels of the last.
  func mapAnswers(
    _ pictures: [FeatureMaps], name: (_ index: Int) -> String
  ) throws -> [String: Answer] {
    var answers: [String: Answer] = [
      "features_at_pixels": .tensor(pictures[pictures.count - 1].vectors(at: try ints("pixel_index")))
    ]
    for index in pictures[0].maps.indices {
      answers[name(index)] = .tensor(stack(pictures.map { $0.maps[index].tensor }))
    }
    return answers
  }
}
