import Checkpoints
import DiffusionCore
import Foundation
import Layers
import TensorCore

extension Operations {
  /// Groups B and C: losses, gradients and training of diffusion models.
  static let training: [String: Operation] = [
    "training_losses": { known in
      let process = try known.process()
      let (xStart, noise) = (try known.tensor("x_start"), try known.tensor("noise"))
      let t = try known.ints("t")
      let losses = process.trainingLosses(
        modelOutput: try known.tensor("model_output"), xStart: xStart,
        xT: process.qSample(xStart: xStart, t: t, noise: noise), noise: noise, t: t,
        loss: try known.parameters.loss())
      var answers = known.answers(losses)
      answers["d_model_output_of_loss_sum"] = .tensor(losses.outputGradient)
      return answers
    },
    "training_losses_unet": { known in
      let (process, network) = (try known.networkProcess(), try known.network())
      let (xStart, noise) = (try known.tensor("x_start"), try known.tensor("noise"))
      let t = try known.ints("t")
      let xT = process.qSample(xStart: xStart, t: t, noise: noise)
      let output = network(
        xT, timesteps: process.modelTimesteps(t), classes: try known.classesIfPresent())
      return known.answers(
        process.trainingLosses(
          modelOutput: output, xStart: xStart, xT: xT, noise: noise, t: t,
          loss: try known.parameters.part("diffusion").loss()))
    },
    "normal_kl": { known in
      let inputs = try ["mean1", "logvar1", "mean2", "logvar2"].map { try known.tensor($0).elements }
      let values = inputs[0].indices.map { i in
        normalKL(
          mean1: Double(inputs[0][i]), logVariance1: Double(inputs[1][i]), mean2: Double(inputs[2][i]),
          logVariance2: Double(inputs[3][i]))
      }
      return ["kl": .list(values)]
    },
    "discretized_gaussian_log_likelihood": { known in
      let inputs = try ["x", "means", "log_scales"].map { try known.tensor($0).elements }
      let values = inputs[0].indices.map { i in
        discretizedGaussianLogLikelihood(
          x: Double(inputs[0][i]), mean: Double(inputs[1][i]), logScale: Double(inputs[2][i]))
      }
      return ["log_prob": .list(values)]
    },
    "unet_loss_grad": { known in
      let step = try known.trainingStep(
        parameters: known.networkParameters(), xStart: known.tensor("x0"), noise: known.tensor("noise"),
        t: known.ints("t"), classes: known.classesIfPresent())
      var answers: [String: Answer] = [
        "loss_per_sample": .tensor(step.losses.loss), "loss": .scalar(mean(step.losses.loss)),
        "mse": step.losses.mse.map { .tensor($0) }, "vb": step.losses.variational.map { .tensor($0) },
      ].compactMapValues { $0 }
      for (parameter, gradient) in zip(try known.networkParameters(), step.gradients) {
        answers["grad.\(parameter.name)"] = .tensor(gradient)
      }
      return answers
    },
    "unet_train": { known in
      let adam = try known.parameters.adam()
      let average = ExponentialAverage(decay: try known.parameters.double("ema_rate"))
      var parameters = try known.networkParameters()
      var averages = parameters
      var moments = parameters.map { AdamMoments(shape: $0.tensor.shape) }
      let (x0, noise) = (try known.tensor("x0"), try known.tensor("noise"))
      let t = try known.array("t")
      let allClasses = try known.classesIfPresent()
      let steps = try known.parameters.int("steps")
      guard steps > 0, t.count % steps == 0, noise.shape[0] == steps else {
        throw known.parameters.mismatch("steps", "\(noise.shape[0]), as noise and t have them")
      }
      let batch = t.count / steps
      /// Those of a step, of one list for each step or one for all.
      func classes(ofStep step: Int) -> [Int]? {
        allClasses.map { $0.count == batch ? $0 : Array($0[step * batch..<(step + 1) * batch]) }
      }
      let allSteps = t.int64s().map { Int($0) }
      var (losses, norms) = ([Double](), [Double]())
      for index in 0..<steps {
        let step = try known.trainingStep(
          parameters: parameters, xStart: x0.rank == 5 ? x0.slice(index % x0.shape[0]) : x0,
          noise: noise.slice(index), t: Array(allSteps[index * batch..<(index + 1) * batch]),
          classes: classes(ofStep: index))
        losses.append(Double(mean(step.losses.loss)))
        norms.append(
          step.gradients.reduce(0) { $0 + $1.elements.reduce(0) { $0 + Double($1) * Double($1) } }
            .squareRoot())
        for place in parameters.indices {
          adam.update(
            &parameters[place].tensor, gradient: step.gradients[place], moments: &moments[place])
          average.update(&averages[place].tensor, with: parameters[place].tensor, number: index)
        }
      }
      func probe(_ parameters: [NamedTensor]) throws -> Answer {
        let process = try known.networkProcess()
        let x = x0.rank == 5 ? x0.slice(0) : x0
        return .tensor(
          try known.network(parameters)(
            x, timesteps: process.modelTimesteps(Array(allSteps[0..<batch])), classes: classes(ofStep: 0)))
      }
      return [
        "losses": .list(losses), "grad_norms": .list(norms), "probe_output_after": try probe(parameters),
        "probe_output_of_ema_after": try probe(averages),
      ]
    },
    "calc_bpd_loop": { known in
      let (process, network) = (try known.networkProcess(), try known.network())
      let noise = try known.tensor("step_noise")
      let classes = try known.classesIfPresent()
      let bits = process.bitsPerDimension(
        try known.tensor("x_start"), clipDenoised: try known.parameters.bool("clip_denoised"),
        noise: { noise.slice(process.steps - 1 - $0) },
        network: { network($0, timesteps: $1, classes: classes) })
      return [
        "total_bpd": .tensor(bits.total), "prior_bpd": .tensor(bits.prior), "vb": .tensor(bits.variational),
        "xstart_mse": .tensor(bits.xStartError), "mse": .tensor(bits.noiseError),
      ]
    },
    "sample_loop": { known in
      let (process, network) = (try known.networkProcess(), try known.network())
      let noise = try known.tensor("step_noise")
      let classes = try known.classesIfPresent()
      var (samples, starts, times) = ([Tensor](), [Tensor](), [Double]())
      let final = process.sample(
        from: try known.tensor("initial_noise"),
        method: try known.samplingMethod(),
        clipDenoised: try known.parameters.bool("clip_denoised"),
        stepNoise: { noise.slice(process.steps - 1 - $0) },
        network: { x, timesteps in
          times.append(Double(timesteps[0]))
          return network(x, timesteps: timesteps, classes: classes)
        },
        progress: { step in
          samples.append(step.sample)
          starts.append(step.predXStart)
        })
      let bytes = final.elements.map { UInt8(min(max(($0 + 1) * 127.5, 0), 255)) }
      return [
        "final": .tensor(final), "samples": .tensor(stack(samples)), "pred_xstarts": .tensor(stack(starts)),
        "model_timesteps": .list(times), "final_uint8": .integers(bytes, shape: final.shape),
      ]
    },
    "ddim_reverse_sample": { known in
      let step = try known.process().ddimReverseSample(
        modelOutput: try known.tensor("model_output"), xT: try known.tensor("x_t"), t: try known.ints("t"),
        clipDenoised: try known.parameters.bool("clip_denoised"))
      return ["sample": .tensor(step.sample), "pred_xstart": .tensor(step.predXStart)]
    },
  ]

  private static func mean(_ x: Tensor) -> Float {
    Float(x.elements.reduce(0) { $0 + Double($1) } / Double(x.count))
  }
}

extension KnownCase {
  fileprivate func answers(_ losses: DiffusionLosses) -> [String: Answer] {
    [
      "loss": .tensor(losses.loss), "mse": losses.mse.map { .tensor($0) },
      "vb": losses.variational.map { .tensor($0) },
    ].compactMapValues { $0 }
  }

  fileprivate func samplingMethod() throws -> SamplingMethod {
    // The ancestral sampler has no use for it.
    parameters.describes("eta")
    switch try parameters.string("sampler") {
    case "ddim": return .ddim(eta: try parameters.double("eta"))
    case "ddpm": return .ancestral
    default: throw parameters.mismatch("sampler", "ddpm or ddim")
    }
  }

  /// The parameters of the case's checkpoint.
  fileprivate func networkParameters() throws -> [NamedTensor] {
    try stateDictionary().tensors.map { NamedTensor(name: $0.name, tensor: $0.array.tensor()) }
  }

  fileprivate func network(_ parameters: [NamedTensor]) throws -> UNet {
    try UNet(
      networkConfiguration(), weights: WeightScope(StateDictionary(parameters, file: id)),
      convolutions: ConvolutionPolicy(precision: precision, imageSize: 64))
  }

  /// Losses of a batch, and the gradients of their mean for every parameter.
  fileprivate func trainingStep(
    parameters: [NamedTensor], xStart: Tensor, noise: Tensor, t: [Int], classes: [Int]?
  ) throws -> (losses: DiffusionLosses, gradients: [Tensor]) {
    let process = try networkProcess()
    let network = try network(parameters)
    let tape = Tape()
    let xT = process.qSample(xStart: xStart, t: t, noise: noise)
    let output = network(
      xT, timesteps: process.modelTimesteps(t), classes: classes,
      training: TrainingPass(tape: tape))
    let losses = try process.trainingLosses(
      modelOutput: output, xStart: xStart, xT: xT, noise: noise, t: t,
      loss: self.parameters.part("diffusion").loss())
    let gradients = tape.gradients(at: output, losses.outputGradient * (1 / Float(t.count)))
    return (losses, parameters.map { gradients[$0.tensor] ?? Tensor(zeros: $0.tensor.shape) })
  }
}
