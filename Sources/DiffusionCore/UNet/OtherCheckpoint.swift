import Base
import Checkpoints

/// A file that is sound and no diffusion model that can be read: what it is, and what to do.
///
/// Told by names of tensors, which are facts of the programs that write them: huggingface/diffusers `unet_2d.py`,
/// CompVis/latent-diffusion `ddpm.py`, lucidrains/denoising-diffusion-pytorch, ermongroup/ddim, yang-song/score_sde,
/// NVlabs/edm, openai/guided-diffusion `EncoderUNetModel`, and others.
public struct OtherCheckpoint: Sendable, Equatable {
  /// What it is, as part of a sentence.
  public let what: String

  /// - Returns: nil for a file that may be a guided-diffusion U-Net
  public init?(_ checkpoint: Checkpoint) {
    if checkpoint.metadata["segmenter"] != nil {
      what = "a segmenter, as dseg train writes them; give it with --segmenter"
      return
    }
    if checkpoint.metadata["program"] != nil, checkpoint.tensors.allSatisfy({ $0.name.contains("/step") }) {
      what = "features, as dseg features writes them; give the diffusion model that they come from"
      return
    }
    let names = Names(checkpoint)
    guard let known = Self.known.first(where: { names.fit($0) }) else { return nil }
    what = known.what
  }

  /// Whether a file holds a latent diffusion model or a part of one: an autoencoder under `first_stage_model.`, or a
  /// U-Net with transformers.
  public static func isLatentDiffusion(_ checkpoint: Checkpoint) -> Bool {
    let names = Names(checkpoint)
    return latent.contains { names.fit($0) }
  }

  private init(what: String) { self.what = what }

  /// For a file without the network's names.
  public static func unknown(_ checkpoint: Checkpoint) -> OtherCheckpoint {
    let tensors = checkpoint.tensors
    guard let first = tensors.first else {
      let others = checkpoint.entries.prefix(4).map { $0.path.isEmpty ? "a value" : $0.path }
      return OtherCheckpoint(
        what: others.isEmpty ? "an empty file" : "no tensors, only \(others.joined(separator: ", "))")
    }
    let keys = Set(tensors.map { $0.name.split(separator: "/").first.map(String.init) ?? "" })
    if keys.contains("state"), checkpoint.entries.contains(where: { $0.path.hasPrefix("param_groups/") }) {
      return OtherCheckpoint(what: optimizer)
    }
    if tensors.contains(where: { $0.name.hasSuffix("exp_avg") || $0.name.contains("exp_avg_sq") }) {
      return OtherCheckpoint(what: optimizer)
    }
    let examples = [first, tensors[tensors.count / 2], tensors[tensors.count - 1]].map(\.name)
    return OtherCheckpoint(
      what:
        "none of its names; there are \(tensors.count) tensors such as \(examples.joined(separator: ", "))")
  }

  public func error(file: String) -> DataError {
    DataError(
      .unsupported, file: file, expected: "a U-Net of guided-diffusion (\(UNetConfiguration.anchor), …)",
      found: what)
  }

  private static let optimizer =
    "the state of an optimizer (opt######.pt); the network is in model######.pt or ema_0.9999_######.pt beside it"

  /// A sort of file: names that end so must be there, and parts of names that must or must not be.
  private struct Sort {
    var what: String
    var ends: [String] = []
    var parts: [String] = []
    var absent: [String] = []
  }

  /// What latent diffusion models are cut into; the first that fits counts.
  private static let latent: [Sort] = [
    Sort(
      what:
        "a latent diffusion model (Stable Diffusion or one of its kin), which works on an autoencoder's latents and is"
        + " read as the backbone latent-diffusion", ends: ["time_embed.0.weight"],
      parts: ["first_stage_model."]),
    Sort(
      what:
        "the autoencoder of a latent diffusion model, without its U-Net", parts: ["first_stage_model."]),
    Sort(
      what:
        "the U-Net of a latent diffusion model with attention to a context, whose autoencoder lies in another file;"
        + " whole models are read as the backbone latent-diffusion",
      ends: ["time_embed.0.weight"], parts: ["transformer_blocks."]),
  ]

  /// The first that fits counts.
  private static let known: [Sort] =
    latent + [
      Sort(
        what:
          "a classifier of guided-diffusion, which has no decoder; take the diffusion model of the same size",
        ends: ["time_embed.0.weight", "input_blocks.0.0.weight"], absent: ["output_blocks."]),
      Sort(
        what:
          "a U-Net of diffusers with attention to a context (Stable Diffusion); diffusion models of pixels are read",
        ends: ["time_embedding.linear_1.weight"], parts: ["down_blocks.", "attn2."]),
      Sort(
        what:
          "a U-Net of diffusers, which has other names and layers; take the original checkpoint (.pt) of the model",
        ends: ["time_embedding.linear_1.weight"], parts: ["down_blocks."]),
      Sort(
        what:
          "a U-Net of denoising-diffusion-pytorch, whose layers are others; train one with dseg pretrain, or with"
          + " guided-diffusion", ends: ["init_conv.weight", "time_mlp.1.weight"]),
      Sort(
        what:
          "a U-Net of the first DDPM or DDIM code (temb.dense), whose layers are others; guided-diffusion's are read",
        ends: ["temb.dense.0.weight"]),
      Sort(what: "a network of score_sde; guided-diffusion's are read", parts: ["all_modules.0."]),
      Sort(what: "a network of EDM; guided-diffusion's are read", ends: ["map_layer0.weight"]),
      Sort(
        what: "a diffusion transformer (DiT); U-Nets of guided-diffusion are read",
        parts: ["adaLN_modulation."]
      ),
      Sort(
        what: "an autoencoder of latent diffusion, without a diffusion model",
        ends: ["encoder.conv_in.weight", "decoder.conv_in.weight"], absent: ["time_embed."]),
      Sort(
        what: "a pixel classifier of ddpm-segmentation (model_#.pth); the diffusion model is another file",
        ends: ["layers.0.weight", "layers.2.running_mean"], absent: ["time_embed."]),
      Sort(what: "a StyleGAN; U-Nets of guided-diffusion are read", parts: ["to_rgbs."]),
      Sort(
        what: "low-rank changes of a model (LoRA), without the model", parts: ["lora_"],
        absent: ["time_embed."]),
      Sort(
        what: "a vision transformer (MAE, DINO, CLIP); U-Nets of guided-diffusion are read",
        ends: ["patch_embed.proj.weight"], absent: ["time_embed."]),
      Sort(
        what: "a ResNet, as classifiers and SwAV have; U-Nets of guided-diffusion are read",
        ends: ["conv1.weight", "layer1.0.conv1.weight"], absent: ["time_embed."]),
    ]

  /// The names in a file.
  private struct Names {
    private let paths: [String]

    /// More than any network has are not looked through.
    private static let most = 20_000

    init(_ checkpoint: Checkpoint) { paths = checkpoint.tensors.prefix(Self.most).map(\.name) }

    func fit(_ sort: Sort) -> Bool {
      sort.ends.allSatisfy { end in paths.contains { isEnd(end, of: $0) } }
        && sort.parts.allSatisfy { part in paths.contains { $0.contains(part) } }
        && !sort.absent.contains { part in paths.contains { $0.contains(part) } }
    }

    /// A whole name, or one after a dot or a slash.
    private func isEnd(_ end: String, of path: String) -> Bool {
      guard path.hasSuffix(end) else { return false }
      let before = path.dropLast(end.count).last
      return before == nil || before == "." || before == "/"
    }
  }
}
