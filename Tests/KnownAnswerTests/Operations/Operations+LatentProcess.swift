import Backbones
import Base
import Checkpoints
import DiffusionCore
import Foundation
import Layers
import TensorCore

extension Operations {
  /// The process, the samplers and the losses of latent diffusion models.
  static let latentProcess: [String: Operation] = [
    "ldm_schedule": { known in
      let process = try known.latentProcess()
      let schedule = try known.parameters.latentSchedule()
      let count = process.steps
      func list(_ values: [Double]) -> Answer { .list(values.map { Double(Float($0)) }) }
      return [
        "betas_float64": .list(try schedule.betas(steps: count)), "betas": list(process.betas),
        "alphas_cumprod": list(process.alphasCumprod),
        "alphas_cumprod_prev": list(process.alphasCumprodPrev),
        "sqrt_alphas_cumprod": list(process.sqrtAlphasCumprod),
        "sqrt_one_minus_alphas_cumprod": list(process.sqrtOneMinusAlphasCumprod),
        "log_one_minus_alphas_cumprod": list(process.logOneMinusAlphasCumprod),
        "sqrt_recip_alphas_cumprod": list(process.sqrtRecipAlphasCumprod),
        "sqrt_recipm1_alphas_cumprod": list(process.sqrtRecipm1AlphasCumprod),
        "posterior_variance": list(process.posteriorVariance),
        "posterior_log_variance_clipped": list(process.posteriorLogVarianceClipped),
        "posterior_mean_coef1": list(process.posteriorMeanCoef1),
        "posterior_mean_coef2": list(process.posteriorMeanCoef2),
        "lvlb_weights": list((0..<count).map { process.variationalWeight($0) }),
      ]
    },
    "ldm_q_sample": { known in
      let process = try known.latentProcess()
      let (xStart, noise, t) = (
        try known.tensor("x_start"), try known.tensor("noise"), try known.ints("t")
      )
      let xT = process.qSample(xStart: xStart, t: t, noise: noise)
      return [
        "x_t": .tensor(xT),
        "x_start_from_noise": .tensor(process.xStartFromEpsilon(xT: xT, t: t, epsilon: noise)),
        "noise_from_x_start": .tensor(process.epsilonFromXStart(xT: xT, t: t, xStart: xStart)),
        "prior_bpd": .list(process.priorBitsPerDimension(xStart).map { Double($0) }),
      ]
    },
    "ldm_p_sample": { known in
      let process = try known.latentProcess()
      let (x, output, t) = (try known.tensor("x"), try known.tensor("model_output"), try known.ints("t"))
      let clips = try known.parameters.bool("clip_denoised")
      let moments = process.pMeanVariance(modelOutput: output, xT: x, t: t, clipDenoised: clips)
      let noise = try known.tensor("noise") * Float(try known.parameters.double("temperature"))
      let step = process.pSample(modelOutput: output, xT: x, t: t, noise: noise, clipDenoised: clips)
      /// What is the same for all numbers of a sample.
      func first(_ tensor: Tensor) -> Answer {
        .list(t.indices.map { Double(tensor.slice($0).elements[0]) })
      }
      return [
        "mean": .tensor(moments.mean), "variance": first(moments.variance),
        "log_variance": first(moments.logVariance), "pred_x0": .tensor(moments.predXStart),
        "sample": .tensor(step.sample),
      ]
    },
    "ldm_ddim_parameters": { known in
      let steps: DDIMSteps
      do {
        steps = try known.ddimSteps()
      } catch  where known.outputs["error"] != nil {
        return ["error": .bool(true)]
      }
      return [
        "timesteps": .integers(steps.timesteps), "alphas": .list(steps.alphas),
        "alphas_prev": .list(steps.alphasPrev), "sigmas": .list(steps.sigmas),
        "sqrt_one_minus_alphas": .list(steps.sqrtOneMinusAlphas),
      ]
    },
    "ldm_ddim_step": { known in
      let step = try known.ddimSteps().step(
        try known.parameters.int("index"), x: try known.tensor("x"),
        epsilon: try known.tensor("model_output"), noise: try known.tensor("noise"),
        temperature: try known.parameters.double("temperature"))
      return ["x_prev": .tensor(step.sample), "pred_x0": .tensor(step.predXStart)]
    },
    "ldm_p_losses": { known in
      let (process, network) = (try known.latentProcess(), try known.latentNetwork())
      let (xStart, noise, t) = (
        try known.tensor("x_start"), try known.tensor("noise"), try known.ints("t")
      )
      var options = LatentLossOptions()
      options.norm = try known.parameters.named("loss_type")
      options.elboWeight = try known.parameters.double("original_elbo_weight")
      options.simpleWeight = try known.parameters.double("l_simple_weight")
      options.logVariance = try known.parameters.double("logvar")
      let output = try network(
        process.qSample(xStart: xStart, t: t, noise: noise), process.modelTimesteps(t), nil)
      let losses = process.latentLosses(
        modelOutput: output, xStart: xStart, noise: noise, t: t, options: options)
      return [
        "loss": .scalar(mean(losses.loss)), "loss_simple": .scalar(mean(losses.simple)),
        "loss_vlb": .scalar(mean(losses.elbo)),
      ]
    },
    "ldm_scale_by_std": { known in
      let state = try known.latentState("first_stage_model.")
      let model = Autoencoder(try AutoencoderConfiguration(state: state), weights: WeightScope(state))
      let latents = model.latents(
        of: try known.tensor("image").channelsLast, noise: try known.tensor("noise").channelsLast)
      return ["scale_factor": .scalar(Autoencoder.standardizingScale(of: latents)!)]
    },
    "ldm_kl_loss_grad": { known in
      // Holds the configuration of the case against that of the file.
      let configuration = try known.autoencoder().configuration
      let parameters = try known.latentState("first_stage_model.").tensors.map {
        NamedTensor(name: $0.name, tensor: $0.array.tensor())
      }
      let model = Autoencoder(
        configuration, weights: WeightScope(StateDictionary(parameters, file: known.id)))
      for term in ["perceptual_weight", "disc_factor"] { try known.parameters.expect(term, .number(0)) }
      var loss = AutoencoderLoss()
      loss.klWeight = try known.parameters.double("kl_weight")
      loss.logVariance = try known.parameters.double("logvar")
      let tape = Tape()
      let found = loss(
        model, pictures: try known.tensor("image").channelsLast,
        noise: try known.tensor("noise").channelsLast,
        tape: tape)
      let count = found.loss.count
      let gradients = tape.gradients(
        at: found.output, Tensor(repeating: 1 / Float(count), shape: [count]))
      var answers: [String: Answer] = [
        "loss": .scalar(mean(found.loss)), "nll_loss": .scalar(mean(found.likelihood)),
        "kl_loss": .scalar(mean(found.divergence)), "rec_loss": .scalar(mean(found.difference)),
        "reconstruction": .tensor(found.reconstruction.channelsFirst),
        "grad.loss.logvar": .scalar(found.logVarianceSlope / Double(count)),
      ]
      for parameter in parameters {
        answers["grad.\(parameter.name)"] = gradients[parameter.tensor].map { .tensor($0) }
      }
      return answers
    },
    "ldm_sample_loop": { known in
      let network = try known.latentNetwork()
      let process = try GaussianDiffusion(storedIn: known.latentState(""))
      var sampler = try LatentSampler(process, method: known.latentMethod())
      sampler.temperature = try known.parameters.double("temperature")
      if try known.parameters.bool("quantize_denoised") {
        let state = try known.latentState("first_stage_model.")
        sampler.codebook =
          Autoencoder(try AutoencoderConfiguration(state: state), weights: WeightScope(state)).codebook
      }
      let scale = try known.parameters.double("guidance_scale")
      let condition = try known.tensorIfPresent("context").map {
        try LatentCondition(
          context: $0, unconditional: try known.tensorIfPresent("unconditional_context"), guidanceScale: scale
        )
      }
      let noise = try known.tensorIfPresent("step_noise")
      var (samples, starts, times) = ([Tensor](), [Tensor](), [Double]())
      let final = try sampler.sample(
        from: try known.tensor("x_T"), condition: condition, stepNoise: { number, _ in noise!.slice(number) },
        network: { (x, timesteps, context) throws(DataError) in
          times.append(Double(timesteps[0]))
          return try network(x, timesteps, context)
        },
        progress: { (step) throws(DataError) in
          samples.append(step.sample)
          starts.append(step.predXStart)
        })
      return [
        "final": .tensor(final), "samples": .tensor(stack(samples)), "pred_x0": .tensor(stack(starts)),
        "model_timesteps": .list(times),
      ]
    },
  ]

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}

extension Parameters {
  fileprivate func latentSchedule() throws -> LatentSchedule {
    let name = try string("beta_schedule")
    if name == "cosine" { return .cosine(offset: try double("cosine_s")) }
    let (first, last) = (try double("linear_start"), try double("linear_end"))
    switch name {
    case "linear": return .linear(from: first, to: last)
    case "sqrt_linear": return .sqrtLinear(from: first, to: last)
    case "sqrt": return .sqrt(from: first, to: last)
    default: throw mismatch("beta_schedule", "linear, cosine, sqrt_linear or sqrt")
    }
  }
}

extension KnownCase {
  func latentProcess() throws -> GaussianDiffusion {
    let type = try parameters.stringIfPresent("parameterization") ?? "eps"
    guard ["eps", "x0"].contains(type) else { throw parameters.mismatch("parameterization", "eps or x0") }
    return try GaussianDiffusion(
      parameters.latentSchedule(), steps: parameters.int("timesteps"),
      meanType: type == "x0" ? .startX : .epsilon,
      betaShare: parameters.has("v_posterior") ? parameters.double("v_posterior") : 0)
  }

  fileprivate func ddimSteps() throws -> DDIMSteps {
    try DDIMSteps(
      latentProcess(), count: parameters.int("num_steps"), spacing: parameters.named("discretization"),
      eta: parameters.double("eta"))
  }

  fileprivate func latentMethod() throws -> LatentSampler.Method {
    let eta = try parameters.double("eta")
    switch try parameters.string("sampler") {
    case "ddpm": return .ancestral(steps: try parameters.int("start_steps"))
    case "ddim":
      return .ddim(
        steps: try parameters.int("num_steps"), eta: eta, spacing: try parameters.named("discretization"))
    case "plms" where eta == 0:
      return .plms(
        steps: try parameters.int("num_steps"), spacing: try parameters.named("discretization"))
    default: throw parameters.mismatch("sampler", "ddpm, ddim, or plms with an eta of 0")
    }
  }

  /// The tensors of the case's checkpoint whose names begin with a prefix, without it.
  fileprivate func latentState(_ prefix: String) throws -> StateDictionary {
    let state = try stateDictionary()
    return StateDictionary(
      state.tensors.compactMap { tensor in
        tensor.name.hasPrefix(prefix)
          ? NamedArray(name: String(tensor.name.dropFirst(prefix.count)), array: tensor.array) : nil
      }, file: id)
  }

  /// The network of the case's configuration with the weights of its checkpoint.
  fileprivate func latentNetwork() throws -> LatentSampler.Network {
    let network = try UNet(
      networkConfiguration(), weights: WeightScope(latentState("model.diffusion_model.")),
      convolutions: ConvolutionPolicy(precision: precision, imageSize: 8))
    return { (x, timesteps, context) in network(x, timesteps: timesteps, context: context) }
  }
}
