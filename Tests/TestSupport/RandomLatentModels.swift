import Checkpoints
import DiffusionCore
import TensorCore

/// Small latent diffusion models with random weights: an autoencoder that halves pictures, and a U-Net of two levels.
public struct RandomLatentModel: Sendable {
  /// Vectors of the codebook; nil for a KL-regularised autoencoder.
  public var codes: Int? = 6
  /// Numbers of a token of the context; nil for attention blocks.
  public var contextChannels: Int?
  /// Rows of the class embedder.
  public var classes: Int?
  public var hasAutoencoder = true
  public var network = UNetConfiguration(
    modelChannels: 32, outChannels: 3, levelChannels: [32, 64], residualBlocks: 1,
    levelHasAttention: [false, true], attention: AttentionSettings(heads: .channels(32)))

  public init(contextChannels: Int? = nil, classes: Int? = nil, codes: Int? = 6) {
    (self.contextChannels, self.classes, self.codes) = (contextChannels, classes, codes)
    if let contextChannels { network.transformer = TransformerSettings(contextChannels: contextChannels) }
  }

  /// Names and shapes of the networks, without the tables of the schedule.
  public func shapes() throws -> [(name: String, shape: [Int])] {
    var shapes = try UNet.parameterShapes(network).map { ("model.diffusion_model.\($0.name)", $0.shape) }
    if hasAutoencoder {
      shapes += RandomBackbones.autoencoderShapes(codes: codes).map {
        ("first_stage_model.\($0.name)", $0.shape)
      }
    }
    if let classes {
      shapes.append(("cond_stage_model.embedding.weight", [classes, contextChannels ?? 1]))
    }
    return shapes
  }

  /// Tables of a linear schedule over 1000 steps, and a factor of the latents.
  public static func tables(scaleFactor: Float? = 0.5) -> [NamedTensor] {
    var product = 1.0
    let products = (0..<1000).map { step -> Double in
      let root = 0.0015.squareRoot() + (0.0195.squareRoot() - 0.0015.squareRoot()) * Double(step) / 999
      product *= 1 - root * root
      return product
    }
    func table(_ name: String, _ value: (Double) -> Double) -> NamedTensor {
      NamedTensor(name: name, tensor: Tensor(products.map { Float(value($0)) }, shape: [1000]))
    }
    var tables = [
      table("sqrt_alphas_cumprod") { $0.squareRoot() },
      table("sqrt_one_minus_alphas_cumprod") { (1 - $0).squareRoot() },
    ]
    if let scaleFactor {
      tables.append(NamedTensor(name: "scale_factor", tensor: Tensor([scaleFactor], shape: [1])))
    }
    return tables
  }

  /// Weights and tables.
  public func tensors(seed: UInt64 = 1) throws -> [NamedTensor] {
    RandomBackbones.tensors(try shapes(), seed: seed) + Self.tables()
  }

  /// Writes a checkpoint.
  public static func write(_ tensors: [NamedTensor], to path: String, prefix: String = "") throws {
    var writer = SafetensorsWriter()
    for tensor in tensors { writer.append(prefix + tensor.name, tensor.tensor) }
    try writer.write(to: path)
  }
}
