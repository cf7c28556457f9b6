import DiffusionCore
import TensorCore

/// The diffusion process that parameters describe.
extension KnownCase {
  /// That of the case itself.
  func process() throws -> GaussianDiffusion { try parameters.process(varianceType: .learnedRange) }

  /// That of `diffusion`, for the case's network.
  func networkProcess() throws -> GaussianDiffusion {
    let process = try parameters.part("diffusion").process(varianceType: .fixedLarge)
    let configuration = try networkConfiguration()
    let expected = process.varianceType.isLearned ? 2 * configuration.inChannels : configuration.inChannels
    guard configuration.outChannels == expected else {
      throw parameters.mismatch(
        "diffusion",
        "a variance for \(configuration.outChannels) output channels of \(configuration.inChannels)")
    }
    return process
  }
}

extension Parameters {
  /// In the words of the manifest, or in those of the reference's `create_gaussian_diffusion`.
  /// - Parameter varianceType: where nothing is said of it
  func process(varianceType: GaussianDiffusion.VarianceType) throws -> GaussianDiffusion {
    let steps = try int("steps")
    let schedule: NoiseSchedule = try named(has("noise_schedule") ? "noise_schedule" : "schedule")
    guard (1...1_000_000).contains(steps) else { throw mismatch("steps", "1 to 1,000,000") }
    guard schedule.betas(steps: steps).allSatisfy({ $0 > 0 && $0 <= 1 }) else {
      throw mismatch("steps", "enough for variances between 0 and 1")
    }
    let notation = try stringIfPresent(has("timestep_respacing") ? "timestep_respacing" : "respacing")
    return GaussianDiffusion(
      schedule: schedule, steps: steps,
      respacing: try notation.flatMap { $0.isEmpty ? nil : try TimestepRespacing($0, steps: steps) },
      meanType: try meanType(), varianceType: try self.varianceType() ?? varianceType,
      rescaleTimesteps: try boolIfPresent("rescale_timesteps") ?? false)
  }

  private func meanType() throws -> GaussianDiffusion.MeanType {
    if has("mean_type") { return try named("mean_type") }
    return try boolIfPresent("predict_xstart") == true ? .startX : .epsilon
  }

  private func varianceType() throws -> GaussianDiffusion.VarianceType? {
    let (learns, isSmall) = (try boolIfPresent("learn_sigma"), try boolIfPresent("sigma_small"))
    if has("var_type") {
      let type: GaussianDiffusion.VarianceType = try named("var_type")
      if let learns, learns != type.isLearned { throw mismatch("learn_sigma", "what var_type says") }
      return type
    }
    if learns == true { return .learnedRange }
    return isSmall == true ? .fixedSmall : learns == false || isSmall == false ? .fixedLarge : nil
  }

  /// What training minimises.
  func loss() throws -> DiffusionLoss {
    let (usesBound, isRescaled) = (try boolIfPresent("use_kl"), try boolIfPresent("rescale_learned_sigmas"))
    if has("loss_type") { return try named("loss_type") }
    return usesBound == true ? .rescaledKL : isRescaled == true ? .rescaledMSE : .mse
  }

  /// The optimizer of a training.
  func adam() throws -> Adam {
    let betas = try doubles("betas")
    let name = try string("optimizer")
    guard betas.count == 2 else { throw mismatch("betas", "two numbers") }
    guard name == "Adam" || name == "AdamW" else { throw mismatch("optimizer", "Adam or AdamW") }
    return Adam(
      learningRate: try double("lr"), beta1: betas[0], beta2: betas[1], eps: try double("eps"),
      weightDecay: try double("weight_decay"), decay: name == "AdamW" ? .decoupled : .inGradient)
  }
}
