import TensorCore
import TestSupport

extension Operations {
  /// Group A: kernels.
  static let kernels: [String: Operation] = [
    "conv2d": { known in
      let (weight, stride, padding) = (
        try known.tensor("weight"), try known.parameters.int("stride"),
        Padding2D(try known.parameters.int("padding"))
      )
      let dilation = try known.parameters.intIfPresent("dilation") ?? 1
      let isWinograd =
        known.precision == .fast && weight.shape.suffix(2) == [3, 3] && stride == 1 && padding == 1
        && dilation == 1
      let x = ConvolutionInput(try known.tensor("x").channelsLast)
      try known.parameters.expect("kernel", .number(Double(weight.shape[3])))
      let kernel = ConvolutionWeight(weight, algorithm: isWinograd ? .winograd4 : .im2col)
      kernel.keepForTraining()
      let y = conv2d(
        x, weight: kernel, bias: try known.tensorIfPresent("bias"), stride: stride, padding: padding,
        dilation: dilation)
      var answers: [String: Answer] = ["y": .tensor(y.channelsFirst)]
      guard let gradient = try known.tensorIfPresent("cotangent")?.channelsLast else { return answers }
      answers["d_x"] = .tensor(
        conv2dInputGradient(
          gradient, weight: kernel, height: x.shape[1], width: x.shape[2], stride: stride, padding: padding,
          dilation: dilation
        ).channelsFirst)
      answers["d_weight"] = .tensor(
        conv2dWeightGradient(
          gradient, x: x, kernelHeight: kernel.kernelHeight, kernelWidth: kernel.kernelWidth,
          stride: stride, padding: padding, dilation: dilation, algorithm: kernel.algorithm))
      answers["d_bias"] = .tensor(sumOfRows(sumOfPixels(gradient)))
      return answers
    },
    "conv1d": { known in
      let (x, weight) = (try known.tensor("x").channelsLast, try known.tensor("weight"))
      try known.parameters.expect("kernel", .number(1))
      let kernel = ConvolutionWeight(weight, algorithm: .im2col)
      kernel.keepForTraining()
      let y = conv1d(ConvolutionInput(x), weight: kernel, bias: try known.tensorIfPresent("bias"))
      let gradient = try known.tensor("cotangent").channelsLast
      return [
        "y": .tensor(y.channelsFirst),
        "d_x": .tensor(conv1dInputGradient(gradient, weight: kernel).channelsFirst),
        "d_weight": .tensor(conv1dWeightGradient(gradient, x: ConvolutionInput(x))),
        "d_bias": .tensor(sumOfRows(sumOfPixels(gradient))),
      ]
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
      let x = ConvolutionInput(try known.tensor("x").channelsLast)
      let normalized = x.normalized(
        by: ChannelNormalization.groups(
          try known.parameters.int("groups"), of: x, weight: try known.tensor("weight"),
          bias: try known.tensor("bias"), eps: Float(try known.parameters.double("eps"))))
      var answers: [String: Answer] = ["y": .tensor(normalized.tensor.channelsFirst)]
      guard let cotangent = try known.tensorIfPresent("cotangent") else { return answers }
      let gradients = groupNormBackward(cotangent.channelsLast, of: normalized)
      answers["d_x"] = .tensor(gradients.first.channelsFirst)
      answers["d_weight"] = .tensor(gradients.weight)
      answers["d_bias"] = .tensor(gradients.bias)
      return answers
    },
    "batch_norm_1d": { known in
      var state = BatchNorm1dState(
        weight: try known.tensor("weight"), bias: try known.tensor("bias"),
        runningMean: try known.tensor("running_mean"), runningVariance: try known.tensor("running_var"),
        eps: Float(try known.parameters.double("eps")),
        momentum: Float(try known.parameters.double("momentum")))
      let x = try known.tensor("x")
      let (y, saved) =
        try known.parameters.bool("train")
        ? batchNorm1dTraining(x, state: &state) : batchNorm1dEvaluation(x, state: state)
      let gradients = batchNorm1dBackward(try known.tensor("cotangent"), saved: saved, weight: state.weight)
      return [
        "y": .tensor(y), "d_x": .tensor(gradients.x), "d_weight": .tensor(gradients.weight),
        "d_bias": .tensor(gradients.bias), "running_mean_after": .tensor(state.runningMean),
        "running_var_after": .tensor(state.runningVariance),
      ]
    },
    "silu": { known in
      let x = try known.tensor("x")
      return [
        "y": .tensor(silu(x)), "d_x": .tensor(siluBackward(try known.tensor("cotangent"), x: x)),
      ]
    },
    "softmax": { known in
      let x = try known.tensor("x")
      try known.expectLastAxis(of: x)
      let y = softmax(x)
      return ["y": .tensor(y), "d_x": .tensor(softmaxBackward(try known.tensor("cotangent"), output: y))]
    },
    "log_softmax": { known in
      let x = try known.tensor("x")
      try known.expectLastAxis(of: x)
      let y = logSoftmax(x)
      return ["y": .tensor(y), "d_x": .tensor(logSoftmaxBackward(try known.tensor("cotangent"), output: y))]
    },
    "cross_entropy_mean": { known in
      try known.parameters.expect("reduction", .string("mean"))
      let result = crossEntropy(try known.tensor("logits"), targets: try known.ints("target"))
      return ["loss": .scalar(result.loss), "d_logits": .tensor(result.logitsGradient)]
    },
    "cross_entropy_2d": { known in
      try known.parameters.expect("reduction", .string("mean"))
      let result = crossEntropy(
        try known.tensor("logits").channelsLast, labels: try known.labels("target"),
        ignoring: try known.parameters.intIfPresent("ignore_label").map { UInt8($0) })
      return ["loss": .scalar(result.loss), "d_logits": .tensor(result.logitsGradient.channelsFirst)]
    },
    "timestep_embedding": { known in
      let y = timestepEmbedding(
        try known.tensor("t").elements, dimension: try known.parameters.int("dim"),
        maxPeriod: Float(try known.parameters.double("max_period")))
      return ["y": .tensor(y)]
    },
    "qkv_attention": { known in
      let order = try known.parameters.named("order") as AttentionOrder
      let (qkv, heads) = (try known.tensor("qkv").channelsLast, try known.parameters.int("heads"))
      try known.parameters.expect(
        "channels_per_head", .number(Double(qkv.shape[2]) / Double(3 * heads)))
      let gradient = qkvAttentionBackward(
        try known.tensor("cotangent").channelsLast, qkv: qkv, heads: heads, order: order)
      return [
        "y": .tensor(qkvAttention(qkv, heads: heads, order: order).channelsFirst),
        "d_qkv": .tensor(gradient.channelsFirst),
      ]
    },
    "interpolate": { known in
      let x = try known.tensor("x")
      let (height, width) = (x.shape[2], x.shape[3])
      let scale = try known.parameters.intIfPresent("scale_factor")
      let size =
        try scale.map { [height * $0, width * $0] } ?? known.parameters.ints("size")
      try known.parameters.expect("align_corners", .bool(false))
      switch try known.parameters.string("mode") {
      case "bilinear":
        guard let gradient = try known.tensorIfPresent("cotangent")?.channelsLast else {
          return ["y": .tensor(resizeBilinear(x, height: size[0], width: size[1]))]
        }
        let y = resizeBilinearChannelsLast(x.channelsLast, height: size[0], width: size[1])
        let slope = resizeBilinearChannelsLastBackward(gradient, height: height, width: width)
        return ["y": .tensor(y.channelsFirst), "d_x": .tensor(slope.channelsFirst)]
      case "nearest" where size == [2 * height, 2 * width]:
        return ["y": .tensor(upsampleNearest2x(x.channelsLast).channelsFirst)]
      default:
        throw known.parameters.mismatch("mode", "bilinear, or nearest to twice the size")
      }
    },
    "avg_pool_2x2": { known in
      let x = try known.tensor("x").channelsLast
      let gradient = averagePool2x2Backward(
        try known.tensor("cotangent").channelsLast, height: x.shape[1], width: x.shape[2])
      return ["y": .tensor(averagePool2x2(x).channelsFirst), "d_x": .tensor(gradient.channelsFirst)]
    },
    "optimizer_trace": { known in
      let adam = try known.parameters.adam()
      var weight = try known.tensor("w0")
      var moments = AdamMoments(shape: weight.shape)
      let gradients = try known.tensor("grads")
      let average = ExponentialAverage(decay: try known.parameters.double("ema_rate"))
      var (trace, averaged) = ([Tensor](), weight)
      for step in 0..<gradients.shape[0] {
        adam.update(&weight, gradient: gradients.slice(step), moments: &moments)
        average.update(&averaged, with: weight, number: step)
        trace.append(weight)
      }
      return ["w": .tensor(stack(trace)), "ema_after": .tensor(averaged)]
    },
    "ema_warmup": { known in
      let average = ExponentialAverage(decay: try known.parameters.double("decay"), warmsUp: true)
      let (weights, first) = (try known.tensor("weights"), try known.parameters.int("first_n"))
      var (averaged, averages, decays) = (try known.tensor("initial"), [Tensor](), [Double]())
      for step in 0..<(try known.parameters.int("steps")) {
        decays.append(average.decay(update: first + step))
        average.update(&averaged, with: weights.slice(step), number: first + step)
        averages.append(averaged)
      }
      return ["decays": .list(decays), "ema": .tensor(stack(averages))]
    },
  ]
}

extension KnownCase {
  /// Rows are normalised, wherever the reference counts the axis from.
  fileprivate func expectLastAxis(of x: Tensor) throws {
    let axis = try parameters.int("dim")
    guard axis == -1 || axis == x.rank - 1 else { throw parameters.mismatch("dim", "the last axis") }
  }
}
