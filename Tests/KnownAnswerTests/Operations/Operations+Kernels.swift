import TensorCore

extension Operations {
  /// Group A: kernels.
  static let kernels: [String: Operation] = [
    "conv2d": { known in
      let y = conv2d(
        try known.tensor("x"), weight: try known.tensor("weight"), bias: try known.tensorIfPresent("bias"),
        stride: try known.int("stride"), padding: try known.int("padding"))
      return ["y": .tensor(y)]
    },
    "conv1d": { known in
      let y = conv1d(
        try known.tensor("x"), weight: try known.tensor("weight"), bias: try known.tensorIfPresent("bias"))
      return ["y": .tensor(y)]
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
        try known.tensor("x"), groups: try known.int("groups"), weight: try known.tensor("weight"),
        bias: try known.tensor("bias"), eps: Float(try known.double("eps")))
      return ["y": .tensor(y)]
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
      return [
        "y": .tensor(qkvAttention(try known.tensor("qkv"), heads: try known.int("heads"), order: order))
      ]
    },
    "interpolate": { known in
      let x = try known.tensor("x")
      switch try known.string("mode") {
      case "bilinear":
        let size = try known.intList("size")
        return ["y": .tensor(resizeBilinear(x, height: size[0], width: size[1]))]
      case "nearest" where known.intIfPresent("scale_factor") == 2:
        return ["y": .tensor(upsampleNearest2x(x))]
      default:
        return [:]
      }
    },
    "avg_pool_2x2": { ["y": .tensor(averagePool2x2(try $0.tensor("x")))] },
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
