import ArgumentParser
import Backbones
import Base
import DiffusionCore
import DiffusionSegmentation
import TensorCore

/// The network to train.
struct PretrainNetworkOptions: ParsableArguments {
  @Option(help: "Side of the pictures, in pixels.")
  var imageSize = 64
  @Option(help: "Channels of the first level, a multiple of 32 with every multiple below.")
  var channels = 32
  @Option(help: ArgumentHelp("Channels of every level, in multiples of those.", valueName: "1,2,3,4"))
  var channelMult: NumberList<Double> = NumberList([1, 2, 3, 4])
  @Option(help: "Residual blocks of every level.")
  var residualBlocks = 2
  @Option(help: ArgumentHelp("Sides of the maps with attention, in pixels.", valueName: "16,8"))
  var attentionResolutions: NumberList<Int> = NumberList([16, 8])
  @Option(help: "Channels of an attention head.")
  var headChannels = 32
  @Flag(help: "Learn the variance too (rescaled mse and variational loss).")
  var learnSigma = false
  @Option(help: "Noise schedule of the diffusion: linear or cosine.")
  var noiseSchedule = NoiseSchedule.linear
  @Option(help: "Steps of the diffusion.")
  var diffusionSteps = 1000
  @Flag(help: "Tell the network the class of a picture: the folder that it lies in.")
  var classConditional = false

  func apply(to settings: inout PretrainingSettings) {
    settings.imageSize = imageSize
    settings.channels = channels
    settings.channelMult = channelMult.values
    settings.residualBlocks = residualBlocks
    settings.attentionResolutions = attentionResolutions.values
    settings.headChannels = headChannels
    settings.learnsVariance = learnSigma
    settings.noiseSchedule = noiseSchedule
    settings.diffusionSteps = diffusionSteps
    if learnSigma { settings.training.loss = .rescaledMSE }
  }
}

/// How it is trained.
struct PretrainTrainingOptions: ParsableArguments {
  @Option(help: "Pictures of a step.")
  var batch = 16
  @Option(help: "Pictures whose activations are in memory at a time; all of a step unless given.")
  var microBatch: Int?
  @Option(help: "Learning rate of AdamW.")
  var learningRate = 1e-4
  @Option(help: "Weight decay of AdamW.")
  var weightDecay = 0.0
  @Option(help: "Steps over which the learning rate rises.")
  var warmUp = 0
  @Option(help: "Largest norm of all gradients together; no limit unless given.")
  var gradientNorm: Double?
  @Option(help: "Share of the moving average of the weights that is kept in a step.")
  var emaRate = 0.9999
  @Flag(
    help:
      "Keep that share from the first step on, as the reference does, rather than less of the first steps.")
  var constantEma = false
  @Option(help: "Probability of a number to be dropped in a residual block.")
  var dropout: Float = 0
  @Option(help: "What is minimised: mse, rescaled_mse, kl or rescaled_kl. (default: mse)")
  var loss: DiffusionLoss?
  @Option(help: "How steps of the diffusion are drawn: uniform or loss-second-moment.")
  var timesteps: TimestepSampling = .uniform
  @Flag(help: "Leave pictures as they are, rather than mirror every other one.")
  var noFlips = false
  @Flag(help: "Turn pictures by random right angles.")
  var quarterTurns = false
  @Flag(help: "Compute the inside of residual blocks twice, for less memory.")
  var recompute = false

  func apply(to settings: inout PretrainingSettings) throws(DataError) {
    settings.training.batch = batch
    settings.training.microBatch = microBatch
    settings.training.optimizer.learningRate = learningRate
    settings.training.optimizer.weightDecay = weightDecay
    settings.training.warmUpSteps = warmUp
    settings.training.largestGradientNorm = gradientNorm
    guard emaRate >= 0 && emaRate < 1 else {
      throw DataError(.invalidArgument, file: "EMA rate", expected: "0 to below 1", found: "\(emaRate)")
    }
    settings.training.average = ExponentialAverage(decay: emaRate, warmsUp: !constantEma)
    settings.training.dropout = dropout
    if let loss { settings.training.loss = loss }
    settings.training.timesteps = timesteps
    settings.training.flips = !noFlips
    settings.training.quarterTurns = quarterTurns
    settings.training.recomputesBlocks = recompute
  }
}
