import ArgumentParser
import Backbones
import DiffusionSegmentation
import Foundation

struct Pretrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a diffusion model on unlabelled pictures.",
    discussion: """
      Writes model.safetensors, for every other command and under guided-diffusion's names; loss.csv and loss.png; \
      sheets of pictures that the model makes; and checkpoints from which --resume goes on to the bit, with the same \
      pictures. Ctrl-C ends the step, saves and stops. A training whose loss is no number any more saves its last \
      good state and ends with exit code 70. The folder is for one training at a time.

      Example:
        dseg pretrain --images photos/ --image-size 64 --channels 32 --minutes 60 --output model/
        dseg pretrain --images photos/ --image-size 64 --channels 32 --minutes 60 --output model/ --resume
      """)

  @Option(help: "Folder of pictures, in any depth. Their centre squares are used.")
  var images: String
  @Option(help: "The folder to write to.")
  var output: String
  @Flag(help: "Go on from the last checkpoint in the folder.")
  var resume = false
  @Flag(help: "With --resume, go on although the pictures are not those of the checkpoint.")
  var changedPictures = false
  @Option(help: "Train up to this step, counted from the very first.")
  var steps: Int?
  @Option(help: "Train for so many minutes.")
  var minutes: Double?
  @OptionGroup var reading: PictureOptions
  @OptionGroup(title: "Network") var network: PretrainNetworkOptions
  @OptionGroup(title: "Training") var training: PretrainTrainingOptions
  @Option(help: "Steps from checkpoint to checkpoint.")
  var saveEvery = 1000
  @Option(help: "Checkpoints that are kept.")
  var keep = 3
  @Option(help: "Steps from sample sheet to sample sheet; 0 for one at the end.")
  var sampleEvery = 1000
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if changedPictures && !resume { throw ValidationError("--changed-pictures needs --resume.") }
    if steps == nil && minutes == nil { throw ValidationError("Give --steps, --minutes or both.") }
    if let steps, steps < 1 { throw ValidationError("--steps is 1 or more.") }
    if let minutes, !(minutes > 0) { throw ValidationError("--minutes is above 0.") }
    if saveEvery < 1 || keep < 1 || sampleEvery < 0 {
      throw ValidationError("--save-every and --keep are 1 or more, --sample-every is 0 or more.")
    }
  }

  func run() throws {
    try common.apply()
    var settings = PretrainingSettings()
    network.apply(to: &settings)
    try training.apply(to: &settings)
    settings.orientation = reading.orientation
    settings.training.seed = common.seed ?? 0
    try settings.validate()
    let reading = ProgressBar("pictures")
    let pictures = try UnlabelledImages(
      directory: images, imageSize: settings.imageSize, usesClasses: network.classConditional,
      orientation: settings.orientation, notices: .ofThisRun
    ) { reading.update($0, "reading") }
    reading.finish()
    settings.classCount = pictures.classNames?.count
    var pretraining = try Pretraining(
      settings: settings, folder: PretrainingFolder(output), pictures: pictures.record, resumes: resume,
      picturesMayChange: changedPictures, notices: .ofThisRun)
    pretraining.schedule.save = saveEvery
    pretraining.schedule.keep = keep
    pretraining.schedule.samples = sampleEvery
    Interruption.watch()
    let bar = ProgressBar("training")
    var last: Pretraining.Progress?
    func show(_ progress: Pretraining.Progress) {
      last = progress
      let (loss, speed) = (
        String(format: "%.4f", progress.recentLoss), String(format: "%.1f", progress.picturesPerSecond)
      )
      bar.update(progress.share, "step \(progress.report.step), loss \(loss), \(speed) images/s")
    }
    try pretraining.run(
      on: pictures, limit: .init(steps: steps, seconds: minutes.map { $0 * 60 }),
      shouldStop: { Interruption.isRequested }, progress: show)
    bar.finish()
    let figures = Figures(
      model: pretraining.folder.modelPath, steps: pretraining.trainer.state.step, images: pictures.count,
      loss: last?.recentLoss, imagesPerSecond: last?.picturesPerSecond, seconds: last?.seconds ?? 0)
    if common.json {
      try Terminal.printJSON(figures)
    } else {
      let loss = figures.loss.map { String(format: ", loss %.4f", $0) } ?? ""
      try Terminal.output("\(figures.model): \(figures.steps) steps on \(figures.images) pictures\(loss)")
    }
  }

  struct Figures: Encodable {
    var model: String
    var steps: Int
    var images: Int
    var loss: Double?
    var imagesPerSecond: Double?
    var seconds: Double
  }
}
