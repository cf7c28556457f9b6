import DiffusionCore
import Images

extension Operations {
  /// Group C: the diffusion process.
  static let diffusion: [String: Operation] = [
    "schedule": { known in
      let process: GaussianDiffusion
      do {
        process = try known.process()
      } catch  where known.outputs["error"] != nil {
        return ["error": .bool(true)]
      }
      return [
        "betas": .list(process.betas), "alphas_cumprod": .list(process.alphasCumprod),
        "alphas_cumprod_prev": .list(process.alphasCumprodPrev),
        "alphas_cumprod_next": .list(process.alphasCumprodNext),
        "sqrt_alphas_cumprod": .list(process.sqrtAlphasCumprod),
        "sqrt_one_minus_alphas_cumprod": .list(process.sqrtOneMinusAlphasCumprod),
        "log_one_minus_alphas_cumprod": .list(process.logOneMinusAlphasCumprod),
        "sqrt_recip_alphas_cumprod": .list(process.sqrtRecipAlphasCumprod),
        "sqrt_recipm1_alphas_cumprod": .list(process.sqrtRecipm1AlphasCumprod),
        "posterior_variance": .list(process.posteriorVariance),
        "posterior_log_variance_clipped": .list(process.posteriorLogVarianceClipped),
        "posterior_mean_coef1": .list(process.posteriorMeanCoef1),
        "posterior_mean_coef2": .list(process.posteriorMeanCoef2),
        "timestep_map": .integers(process.timestepMap), "error": .bool(false),
      ]
    },
    "q_sample": { known in
      let x = try known.process().qSample(
        xStart: try known.tensor("x_start"), t: try known.ints("t"), noise: try known.tensor("noise"))
      return ["x_t": .tensor(x)]
    },
    "q_mean_variance": { known in
      let moments = try known.process().qMeanVariance(
        xStart: try known.tensor("x_start"), t: try known.ints("t"))
      return [
        "mean": .tensor(moments.mean), "variance": .tensor(moments.variance),
        "log_variance": .tensor(moments.logVariance),
      ]
    },
    "q_posterior_mean_variance": { known in
      let moments = try known.process().qPosteriorMeanVariance(
        xStart: try known.tensor("x_start"), xT: try known.tensor("x_t"), t: try known.ints("t"))
      return [
        "mean": .tensor(moments.mean), "variance": .tensor(moments.variance),
        "log_variance_clipped": .tensor(moments.logVarianceClipped),
      ]
    },
    "p_mean_variance": { known in
      let moments = try known.process().pMeanVariance(
        modelOutput: try known.tensor("model_output"), xT: try known.tensor("x_t"), t: try known.ints("t"),
        clipDenoised: try known.parameters.bool("clip_denoised"))
      return [
        "mean": .tensor(moments.mean), "variance": .tensor(moments.variance),
        "log_variance": .tensor(moments.logVariance), "pred_xstart": .tensor(moments.predXStart),
      ]
    },
    "p_sample": { known in
      let step = try known.process().pSample(
        modelOutput: try known.tensor("model_output"), xT: try known.tensor("x_t"), t: try known.ints("t"),
        noise: try known.tensor("noise"), clipDenoised: try known.parameters.bool("clip_denoised"))
      return ["sample": .tensor(step.sample), "pred_xstart": .tensor(step.predXStart)]
    },
    "ddim_sample": { known in
      let step = try known.process().ddimSample(
        modelOutput: try known.tensor("model_output"), xT: try known.tensor("x_t"), t: try known.ints("t"),
        noise: try known.tensor("noise"), eta: try known.parameters.double("eta"),
        clipDenoised: try known.parameters.bool("clip_denoised"))
      return ["sample": .tensor(step.sample), "pred_xstart": .tensor(step.predXStart)]
    },
  ]
}
