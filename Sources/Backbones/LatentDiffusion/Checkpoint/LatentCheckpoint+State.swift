import Base
import Checkpoints
import DiffusionCore

extension LatentCheckpoint {
  /// A model of a file and which weights its U-Net has.
  struct Choice {
    var checkpoint: LatentCheckpoint
    var isAveraged: Bool
    /// As `--weights` takes it.
    var name: String
  }

  /// Networks of a file: U-Nets, and their averages where those are complete.
  static func networks(in checkpoint: Checkpoint, notices: Notices = Notices()) -> NetworkList {
    let prefixes = prefixes(in: checkpoint).flatMap { prefix in
      let model = LatentCheckpoint(checkpoint, prefix: prefix)
      let own = prefix + Part.network.rawValue
      switch model.averages {
      case .none: return [own]
      case .all: return [own, prefix + Part.averages.rawValue]
      case .some(let count, let missing):
        notices.add(
          .leftOut, file: checkpoint.path, item: prefix + Part.averages.rawValue.dropLast(),
          "averages of \(count) weights and not of others (\(missing)); the weights in training are taken")
        return [own]
      }
    }
    return NetworkList(checkpoint, prefixes: prefixes)
  }

  /// The network that is meant.
  /// - Throws: `DataError` that says what else the file is, or lists the networks to choose from.
  static func choice(
    in checkpoint: Checkpoint, weights: WeightsChoice, notices: Notices
  ) throws(DataError) -> Choice {
    guard let member = try networks(in: checkpoint, notices: notices).chosen(weights, notices: notices) else {
      throw DataError(
        .unsupported, file: checkpoint.path,
        expected: "a latent diffusion model (\(LatentDiffusion.anchor), first_stage_model.…)",
        found: (OtherCheckpoint(checkpoint) ?? .unknown(checkpoint)).what)
    }
    let isAveraged = member.prefix.hasSuffix(Part.averages.rawValue)
    let end = isAveraged ? Part.averages.rawValue : Part.network.rawValue
    return Choice(
      checkpoint: LatentCheckpoint(checkpoint, prefix: String(member.prefix.dropLast(end.count))),
      isAveraged: isAveraged, name: member.name)
  }

  /// What the model needs, under the names of the file. All else is told.
  /// - Parameter averaged: whether averages take the place of the U-Net's weights
  func state(averaged: Bool, notices: Notices) -> StateDictionary {
    var (kept, conditions, losses, others) = ([NamedArray](), 0, 0, [String]())
    for tensor in tensors {
      switch Part(of: tensor.name) {
      case .network:
        let average = averaged ? self[Self.averageName(of: tensor.name)] : nil
        kept.append(NamedArray(name: tensor.name, array: average ?? tensor.array))
      case .averages: break
      case .firstStage where tensor.name.hasPrefix("first_stage_model.loss."): losses += 1
      case .firstStage: kept.append(tensor)
      case .conditionStage where tensor.name == ClassEmbedder.name: kept.append(tensor)
      case .conditionStage: conditions += 1
      case .tables where Self.tables.contains(tensor.name): kept.append(tensor)
      case .tables: others.append(tensor.name)
      }
    }
    func leaveOut(_ item: String, _ text: String) {
      notices.add(.leftOut, file: file, item: prefix + item, text)
    }
    if conditions > 0 {
      leaveOut(
        "cond_stage_model",
        "a condition stage of \(conditions) tensors is not read; its contexts are given as files")
    }
    if losses > 0 { leaveOut("first_stage_model.loss", "\(losses) tensors of a loss are not read") }
    if !others.isEmpty {
      let names = others.prefix(3).joined(separator: ", ") + (others.count > 3 ? ", …" : "")
      leaveOut("", "\(others.count) tensors belong to no part of the model: \(names)")
    }
    return StateDictionary(kept, file: file, prefix: prefix)
  }

  /// What `register_schedule` stores, and the factor of the latents.
  static let tables: Set<String> = [
    "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod",
    "posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2",
    "scale_factor",
  ]
}
