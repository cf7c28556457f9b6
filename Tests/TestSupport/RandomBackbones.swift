import Checkpoints
import TensorCore

/// Small networks with random weights, in the layouts of the published checkpoints.
public enum RandomBackbones {
  /// Names and shapes of a masked autoencoder.
  public static func maeShapes(
    channels: Int = 24, depth: Int = 4, patchSize: Int = 4, grid: Int = 8, decoder: Int? = 16,
    decoderDepth: Int = 1
  ) -> [(name: String, shape: [Int])] {
    func block(_ name: String, _ width: Int) -> [(String, [Int])] {
      [
        ("norm1.weight", [width]), ("norm1.bias", [width]), ("attn.qkv.weight", [3 * width, width]),
        ("attn.qkv.bias", [3 * width]), ("attn.proj.weight", [width, width]), ("attn.proj.bias", [width]),
        ("norm2.weight", [width]), ("norm2.bias", [width]), ("mlp.fc1.weight", [2 * width, width]),
        ("mlp.fc1.bias", [2 * width]), ("mlp.fc2.weight", [width, 2 * width]), ("mlp.fc2.bias", [width]),
      ].map { ("\(name).\($0.0)", $0.1) }
    }
    let positions = 1 + grid * grid
    var shapes: [(String, [Int])] = [
      ("cls_token", [1, 1, channels]), ("pos_embed", [1, positions, channels]),
      ("patch_embed.proj.weight", [channels, 3, patchSize, patchSize]),
      ("patch_embed.proj.bias", [channels]), ("norm.weight", [channels]), ("norm.bias", [channels]),
    ]
    for index in 0..<depth { shapes += block("blocks.\(index)", channels) }
    guard let decoder else { return shapes }
    let patch = 3 * patchSize * patchSize
    shapes += [
      ("mask_token", [1, 1, decoder]), ("decoder_pos_embed", [1, positions, decoder]),
      ("decoder_embed.weight", [decoder, channels]), ("decoder_embed.bias", [decoder]),
      ("decoder_norm.weight", [decoder]), ("decoder_norm.bias", [decoder]),
      ("decoder_pred.weight", [patch, decoder]), ("decoder_pred.bias", [patch]),
    ]
    for index in 0..<decoderDepth { shapes += block("decoder_blocks.\(index)", decoder) }
    return shapes
  }

  /// Names and shapes of a residual network of bottlenecks.
  public static func resNetShapes(
    stem: Int = 4, blocks: [Int] = [3, 4, 6, 3], expansion: Int = 4, groups: Int = 1
  ) -> [(name: String, shape: [Int])] {
    func norm(_ name: String, _ width: Int) -> [(String, [Int])] {
      ["weight", "bias", "running_mean", "running_var"].map { ("\(name).\($0)", [width]) }
    }
    var shapes: [(String, [Int])] = [("conv1.weight", [stem, 3, 7, 7])] + norm("bn1", stem)
    var channels = stem
    for (stage, count) in blocks.enumerated() {
      let width = stem << stage
      for index in 0..<count {
        let name = "layer\(stage + 1).\(index)"
        shapes += [("\(name).conv1.weight", [width, channels, 1, 1])] + norm("\(name).bn1", width)
        shapes += [("\(name).conv2.weight", [width, width / groups, 3, 3])] + norm("\(name).bn2", width)
        let out = expansion * width
        shapes += [("\(name).conv3.weight", [out, width, 1, 1])] + norm("\(name).bn3", out)
        if index == 0 {
          shapes += [("\(name).downsample.0.weight", [out, channels, 1, 1])]
          shapes += norm("\(name).downsample.1", out)
        }
        channels = out
      }
    }
    return shapes
  }

  /// Names and shapes of an autoencoder of two levels, the coarser one with attention.
  /// - Parameter codes: vectors of the codebook; nil for a KL-regularised one
  public static func autoencoderShapes(codes: Int?) -> [(name: String, shape: [Int])] {
    let (fine, coarse, latent, embed) = (32, 64, 4, 3)
    func convolution(_ name: String, _ from: Int, _ to: Int, _ side: Int) -> [(String, [Int])] {
      [("\(name).weight", [to, from, side, side]), ("\(name).bias", [to])]
    }
    func norm(_ name: String, _ width: Int) -> [(String, [Int])] {
      [("\(name).weight", [width]), ("\(name).bias", [width])]
    }
    func block(_ name: String, _ from: Int, _ to: Int) -> [(String, [Int])] {
      norm("\(name).norm1", from) + convolution("\(name).conv1", from, to, 3) + norm("\(name).norm2", to)
        + convolution("\(name).conv2", to, to, 3)
        + (from == to ? [] : convolution("\(name).nin_shortcut", from, to, 1))
    }
    func attention(_ name: String, _ width: Int) -> [(String, [Int])] {
      norm("\(name).norm", width)
        + ["q", "k", "v", "proj_out"].flatMap { convolution("\(name).\($0)", width, width, 1) }
    }
    func middle(_ name: String) -> [(String, [Int])] {
      block("\(name).mid.block_1", coarse, coarse) + attention("\(name).mid.attn_1", coarse)
        + block("\(name).mid.block_2", coarse, coarse)
    }
    let factor = codes == nil ? 2 : 1
    var shapes = convolution("encoder.conv_in", 3, fine, 3) + block("encoder.down.0.block.0", fine, fine)
    shapes += convolution("encoder.down.0.downsample.conv", fine, fine, 3)
    shapes += block("encoder.down.1.block.0", fine, coarse) + attention("encoder.down.1.attn.0", coarse)
    shapes += middle("encoder") + norm("encoder.norm_out", coarse)
    shapes += convolution("encoder.conv_out", coarse, factor * latent, 3)
    shapes += convolution("quant_conv", factor * latent, factor * embed, 1)
    shapes += convolution("post_quant_conv", embed, latent, 1)
    shapes += convolution("decoder.conv_in", latent, coarse, 3) + middle("decoder")
    for index in 0..<2 {
      shapes += block("decoder.up.1.block.\(index)", coarse, coarse)
      shapes += attention("decoder.up.1.attn.\(index)", coarse)
      shapes += block("decoder.up.0.block.\(index)", index == 0 ? coarse : fine, fine)
    }
    shapes += convolution("decoder.up.1.upsample.conv", coarse, coarse, 3)
    shapes += norm("decoder.norm_out", fine) + convolution("decoder.conv_out", fine, 3, 3)
    if let codes { shapes.append(("quantize.embedding.weight", [codes, embed])) }
    return shapes
  }

  /// Random weights that keep activations near 1.
  public static func tensors(
    _ shapes: [(name: String, shape: [Int])], seed: UInt64 = 1
  ) -> [NamedTensor] {
    shapes.enumerated().map { index, parameter in
      var random = Philox(seed: seed).split(UInt64(index))
      let noise = random.normal(shape: parameter.shape)
      let ones = Tensor(repeating: 1, shape: parameter.shape)
      let name = parameter.name
      let tensor: Tensor
      if name.hasSuffix("running_var") {
        tensor = noise * noise * 0.1 + ones
      } else if parameter.shape.count == 1 {
        tensor = noise * 0.1 + (name.hasSuffix("weight") ? ones : ones * 0)
      } else {
        tensor = noise * Float(1 / Double(parameter.shape.dropFirst().reduce(1, *)).squareRoot())
      }
      return NamedTensor(name: name, tensor: tensor)
    }
  }

  /// Writes a checkpoint of random weights.
  public static func write(
    _ shapes: [(name: String, shape: [Int])], to path: String, prefix: String = "", seed: UInt64 = 1,
    metadata: [String: String] = [:]
  ) throws {
    var writer = SafetensorsWriter(metadata: metadata)
    for parameter in tensors(shapes, seed: seed) { writer.append(prefix + parameter.name, parameter.tensor) }
    try writer.write(to: path)
  }
}
