import TensorCore

extension Operations {
  /// Group A: kernels.
  static let kernels: [String: Operation] = [
    "conv2d": { known in
      let (weight, stride, padding) = (
        try known.tensor("weight"), try known.int("stride"), try known.int("padding")
      )
      let isWinograd =
        known.precision == .fast && weight.shape.suffix(2) == [3, 3] && stride == 1 && padding == 1
      let y = conv2d(
        ConvolutionInput(try known.tensor("x").channelsLast),
        weight: ConvolutionWeight(weight, algorithm: isWinograd ? .winograd4 : .im2col),
        bias: try known.tensorIfPresent("bias"), stride: stride, padding: padding)
      return ["y": .tensor(y.channelsFirst)]
    },
    "conv1d": { known in
      let y = conv1d(
        try known.tensor("x").channelsLast, weight: try known.tensor("weight"),
        bias: try known.tensorIfPresent("bias"))
      return ["y": .tensor(y.channelsFirst)]
    },
    "linear": { known in
      let (x, weight) = (try known.tensor("x"), try known.tensor("weight"))
      let gradients = linearBackward(try known.tensor("cotangent"), x: x, weight: weight)
      return [
        "y": .tensor(linear(x, weight: weight, bias: try known.tensorIfPresent("bias"))),
        "d_x": .tensor(gradients.x), "d_weight": .tensor(gradients.weight), "d_bias": .tensor(gradients.bias),
      ]
    },
    "group_norm": { known in
      let y = groupNorm(
        try known.tensor("x").channelsLast, groups: try known.int("groups"),
        weight: try known.tensor("weight"),
        bias: try known.tensor("bias"), eps: Float(try known.double("eps")))
      return ["y": .tensor(y.channelsFirst)]
    },
    "batch_norm_1d": { known in
      var state = BatchNorm1dState(
        weight: try known.tensor("weight"), bias: try known.tensor("bias"),
        runningMean: try known.tensor("running_mean"), runningVariance: try known.tensor("running_var"),
        eps: Float(try known.double("eps")), momentum: Float(try known.double("momentum")))
      let x = try known.tensor("x")
      let (y, saved) =
        try known.bool("train")
        ? batchNorm1dTraining(x, state: &state) : batchNorm1dEvaluation(x, state: state)
      let gradients = batchNorm1dBackward(try known.tensor("cotangent"), saved: saved, weight: state.weight)
      return [
        "y": .tensor(y), "d_x": .tensor(gradients.x), "d_weight": .tensor(gradients.weight),
        "d_bias": .tensor(gradients.bias), "running_mean_after": .tensor(state.runningMean),
        "running_var_after": .tensor(state.runningVariance),
      ]
    },
    "silu": { ["y": .tensor(silu(try $0.tensor("x")))] },
    "softmax": { ["y": .tensor(softmax(try $0.tensor("x")))] },
    "log_softmax": { ["y": .tensor(logSoftmax(try $0.tensor("x")))] },
    "cross_entropy_mean": { known in
      let result = crossEntropy(try known.tensor("logits"), targets: try known.ints("target"))
      return ["loss": .scalar(result.loss), "d_logits": .tensor(result.logitsGradient)]
    },
    "timestep_embedding": { known in
      let y = timestepEmbedding(
        try known.tensor("t").elements, dimension: try known.int("dim"),
        maxPeriod: Float(try known.double("max_period")))
      return ["y": .tensor(y)]
    },
    "qkv_attention": { known in
      let order = AttentionOrder(rawValue: try known.string("order"))!
      let y = qkvAttention(
        try known.tensor("qkv").channelsLast, heads: try known.int("heads"), order: order)
      return ["y": .tensor(y.channelsFirst)]
    },
    "interpolate": { known in
      let x = try known.tensor("x")
      switch try known.string("mode") {
      case "bilinear":
        let size = try known.intList("size")
        return ["y": .tensor(resizeBilinear(x, height: size[0], width: size[1]))]
      case "nearest" where known.intIfPresent("scale_factor") == 2:
        return ["y": .tensor(upsampleNearest2x(x.channelsLast).channelsFirst)]
      default:
        return [:]
      }
    },
    "avg_pool_2x2": {
      ["y": .tensor(averagePool2x2(try $0.tensor("x").channelsLast).channelsFirst)]
    },
    "optimizer_trace": { known in
      let betas = known.parameters["betas"]!.array!.map { $0.double! }
      let adam = Adam(
        learningRate: try known.double("lr"), beta1: betas[0], beta2: betas[1],
        eps: try known.double("eps"), weightDecay: try known.double("weight_decay"),
        decay: try known.string("optimizer") == "AdamW" ? .decoupled : .inGradient)
      var weight = try known.tensor("w0")
      var moments = AdamMoments(shape: weight.shape)
      let gradients = try known.tensor("grads")
      var trace: [Tensor] = []
      for step in 0..<gradients.shape[0] {
        adam.update(&weight, gradient: gradients.slice(step), moments: &moments)
        trace.append(weight)
      }
      return ["w": .tensor(stack(trace))]
    },
  ]
}
