import Backbones
import Checkpoints
import Layers
import TensorCore

extension Operations {
  /// Parts of vision transformers.
  static let transformers: [String: Operation] = [
    "layer_norm": { known in
      // Some folders name weights as such, some do not.
      let prefix = known.has("w.weight") ? "w." : ""
      let (x, gradient) = (try known.tensor("x"), try known.tensor("cotangent"))
      let (weight, bias) = (try known.tensor("\(prefix)weight"), try known.tensor("\(prefix)bias"))
      let eps = Float(try known.parameters.double("eps"))
      let found = layerNormBackward(gradient, x: x, weight: weight, eps: eps)
      return [
        "y": .tensor(layerNorm(x, weight: weight, bias: bias, eps: eps)), "d_x": .tensor(found.x),
        "d_\(prefix)weight": .tensor(found.weight), "d_\(prefix)bias": .tensor(found.bias),
      ]
    },
    "gelu": { known in
      for name in ["approximate", "approximation"] { try known.parameters.expect(name, .string("none")) }
      let x = try known.tensor("x")
      return [
        "y": .tensor(gelu(x)), "d_x": .tensor(geluBackward(try known.tensor("cotangent"), x: x)),
      ]
    },
    "mlp": { known in
      try known.tokenAnswers { weights in
        let hidden = try known.parameters.int("hidden")
        let layer = FeedForward(
          channels: weights.shape(of: "fc1.weight")![1], hidden: hidden, weights: weights)
        return { layer($0, tape: $1) }
      }
    },
    "attention": { known in
      try known.tokenAnswers { weights in
        let layer = SelfAttention(
          channels: weights.shape(of: "proj.weight")![0], heads: try known.parameters.int("heads"),
          hasQKVBias: try known.parameters.bool("qkv_bias"), weights: weights)
        return { layer($0, tape: $1) }
      }
    },
    "transformer_block": { known in
      try known.tokenAnswers { weights in
        let channels = weights.shape(of: "norm1.weight")![0]
        let layer = TransformerBlock(
          channels: channels, heads: try known.parameters.int("heads"),
          hidden: Int(Double(channels) * (try known.parameters.double("mlp_ratio"))),
          eps: Float(try known.parameters.double("eps")), weights: weights)
        return { layer($0, tape: $1) }
      }
    },
    "patch_embed": { known in
      let weights = try known.weightTensors()
      let x = try known.tensor("x").channelsLast
      try known.parameters.expect(
        "image_size", .array([.number(Double(x.shape[1])), .number(Double(x.shape[2]))]))
      let layer = PatchEmbedding(
        inChannels: try known.parameters.int("in_channels"),
        channels: try known.parameters.int("embed_dim"), patchSize: try known.parameters.int("patch_size"),
        weights: WeightScope(StateDictionary(weights, file: known.id)))
      let tape = Tape()
      let y = layer(x, tape: tape)
      let gradients = tape.gradients(at: y, try known.tensor("cotangent"))
      var answers: [String: Answer] = ["y": .tensor(y)]
      answers["d_x"] = gradients[x].map { .tensor($0.channelsFirst) }
      for weight in weights { answers["d_w.\(weight.name)"] = gradients[weight.tensor].map { .tensor($0) } }
      return answers
    },
  ]
}

extension KnownCase {
  /// Output and gradients of a layer of tokens, from the case's `cotangent`.
  /// - Parameter load: makes the layer from the case's weights, and gives what calls it
  fileprivate func tokenAnswers(
    load: (WeightScope) throws -> (_ x: Tensor, _ tape: Tape?) -> Tensor
  ) throws -> [String: Answer] {
    let weights = try weightTensors()
    let scope = WeightScope(StateDictionary(weights, file: id))
    let layer = try load(scope)
    try scope.finish()
    let x = try tensor("x")
    let tape = Tape()
    let y = layer(x, tape)
    let gradients = tape.gradients(at: y, try tensor("cotangent"))
    var answers: [String: Answer] = ["y": .tensor(y)]
    answers["d_x"] = gradients[x].map { .tensor($0) }
    for weight in weights { answers["d_w.\(weight.name)"] = gradients[weight.tensor].map { .tensor($0) } }
    return answers
  }
}
