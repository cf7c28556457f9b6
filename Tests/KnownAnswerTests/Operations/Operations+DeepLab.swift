import Base
import Checkpoints
import Images
import Layers
import Students
import TensorCore

extension Operations {
  /// DeepLabV3, the student of DatasetDDPM.
  static let deepLab: [String: Operation] = [
    "aspp": { known in
      let (x, weights) = (try known.tensor("x").channelsLast, try known.weightTensors())
      try known.parameters.expect("momentum", .number(0.1))
      let eps = Float(try known.parameters.double("eps"))
      let dropout = Float(try known.parameters.double("dropout"))
      func layer(_ use: NetworkUse) throws -> AtrousSpatialPyramidPooling {
        let scope = WeightScope(StateDictionary(weights, file: known.id))
        let layer = AtrousSpatialPyramidPooling(
          inChannels: x.shape[3], outChannels: try known.parameters.int("out_channels"),
          rates: try known.parameters.ints("atrous_rates"), eps: eps, use: use, weights: scope)
        try scope.finish()
        return layer
      }
      guard try known.parameters.bool("train") else {
        // Both forms: folded, and as it is trained.
        let (folded, plain) = (try layer(.inference)(x), try layer(.training)(x))
        let (_, worst) = zip(folded.elements, plain.elements).reduce((0, Float(0))) {
          (0, max($0.1, abs($1.0 - $1.1)))
        }
        guard worst < 1e-3 else {
          throw DataError(.malformed, file: known.id, expected: "two forms that agree", found: "\(worst)")
        }
        return ["y": .tensor(folded.channelsFirst)]
      }
      let keep = try known.tensor("dropout_keep").channelsLast
      let trained = try layer(.training)
      return try known.trainingAnswers(weights, x: x) { tape, statistics in
        trained(x, dropout: .given(keep: keep, probability: dropout), tape: tape, statistics: statistics)
      }
    },
    "deeplab_forward": { known in
      let network = try known.deepLab()
      return known.deepLabAnswers(network, x: try known.tensor("x").channelsLast)
    },
    "deeplab_forward_file": { known in
      let network = try known.deepLab()
      let image = try Image(contentsOf: known.path(try known.parameters.string("image_file")))
      try known.parameters.expect("transform", .string("imagenet"))
      try known.parameters.expect("image_size", .number(Double(min(image.width, image.height))))
      let x = image.tensor(normalization: .imageNet)
      return known.deepLabAnswers(network, x: x.reshaped([1] + x.shape).channelsLast)
    },
    "deeplab_loss_grad": { known in
      let (network, weights) = try known.trainedDeepLab()
      let (tape, statistics) = (Tape(), RunningStatistics())
      let x = try known.tensor("x").channelsLast
      tape.markConstant(x)
      func dropout(_ keep: String, _ probability: String) throws -> StudentDropout {
        guard known.has(keep) else { return .none }
        return .given(
          keep: try known.tensor(keep).channelsLast,
          probability: Float(try known.parameters.double(probability)))
      }
      let output = network.training(
        x,
        pass: DeepLabV3Pass(
          tape: tape, statistics: statistics, dropout: try dropout("dropout_keep", "dropout"),
          auxiliaryDropout: try dropout("aux_dropout_keep", "aux_dropout")))
      let share = known.parameters["aux_weight"]?.double ?? 0
      let loss = DeepLabV3Loss(
        ignored: try known.parameters.intIfPresent("ignore_label").map { UInt8($0) },
        auxiliaryWeight: Float(share))(of: output, labels: try known.labels("target"), tape: tape)
      let gradients = tape.gradients(at: loss.total, Tensor([1], shape: [1]))
      var answers: [String: Answer] = [
        "loss": .tensor(loss.total), "loss_out": .tensor(loss.scores),
        "out": .tensor(output.scores.channelsFirst),
      ]
      answers["loss_aux"] = loss.auxiliary.map { .tensor($0) }
      answers["batches_seen"] = statistics["backbone.bn1.num_batches_tracked"].map { .int(Int($0.item)) }
      for weight in weights {
        answers["grad.\(weight.name)"] = gradients[weight.tensor].map { .tensor($0) }
        answers["after.\(weight.name)"] = statistics[weight.name].map { .tensor($0) }
      }
      return answers
    },
  ]
}

extension KnownCase {
  /// The network of the case's checkpoint, perhaps with the residual network of another, which has the case's
  /// configuration.
  func deepLab() throws -> DeepLabV3 {
    var state = try stateDictionary()
    if parameters.has("backbone_checkpoint") {
      let other = try parameters.part("backbone_checkpoint")
      other.describes("format")
      let notices = Notices()
      state = try DeepLabV3State.replacingBackbone(
        of: state, by: StateDictionary(contentsOf: path(try other.string("file"))), notices: notices)
      guard notices.all.count == 1 else {
        throw DataError(
          .malformed, file: id, expected: "a notice of what is left out", found: "\(notices.all)")
      }
    }
    let network = try DeepLabV3(
      state: state, rates: try parameters.part("config").ints("atrous_rates"),
      convolutions: ConvolutionPolicy(precision: precision, imageSize: 64))
    try check(network.configuration)
    return network
  }

  /// The network of the case's checkpoint in the form that is trained, and its tensors.
  func trainedDeepLab() throws -> (DeepLabV3, [NamedTensor]) {
    let weights = try stateDictionary().tensors.map { NamedTensor(name: $0.name, tensor: $0.array.tensor()) }
    return (try deepLab(weights, use: .training), weights)
  }

  /// The network of some weights, which has the case's configuration.
  func deepLab(_ weights: [NamedTensor], use: NetworkUse) throws -> DeepLabV3 {
    let network = try DeepLabV3(
      state: StateDictionary(weights, file: id), rates: try parameters.part("config").ints("atrous_rates"),
      use: use, convolutions: ConvolutionPolicy(precision: precision, imageSize: 64))
    try check(network.configuration)
    return network
  }

  /// Holds a configuration that was read from a file against the case's.
  private func check(_ found: DeepLabV3Configuration) throws {
    let config = try parameters.part("config")
    let stages = found.backbone.stages
    try config.expect("stem", .number(Double(found.backbone.stem)))
    try config.expect("layers", .array(stages.map { .number(Double($0.count)) }))
    let block = stages[0][0]
    try config.expect("expansion", .number(Double(block.outChannels) / Double(block.width)))
    try config.expect(
      "replace_stride_with_dilation", .array(stages.dropFirst().map { .bool($0[0].stride == 1) }))
    try config.expect("aspp_channels", .number(Double(found.poolingChannels)))
    try config.expect("number_class", .number(Double(found.classes)))
    try config.expect("aux_classifier", .bool(found.auxiliaryChannels != nil))
  }

  fileprivate func deepLabAnswers(_ network: DeepLabV3, x: Tensor) -> [String: Answer] {
    var answers: [String: Answer] = [:]
    let output = network(x) { place, activation in
      let name =
        switch place {
        case .stem: "stem"
        case .stage(let stage): "layer\(stage)"
        case .pooling: "aspp"
        case .scores: "classifier"
        }
      answers[name] = .tensor(activation.channelsFirst)
    }
    answers["out"] = .tensor(output.scores.channelsFirst)
    answers["aux"] = output.auxiliaryScores.map { .tensor($0.channelsFirst) }
    answers["labels"] = .integers(output.labels, shape: Array(x.shape.prefix(3)))
    return answers
  }
}
