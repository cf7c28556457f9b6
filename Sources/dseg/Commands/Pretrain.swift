import ArgumentParser
import Backbones
import DiffusionSegmentation
import Foundation

struct Pretrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model on unlabelled pictures.",
    discussion: """
      Writes model.safetensors, for every other command and under the names of the published models; loss.csv and \
      loss.png; sheets of pictures that show what the model can do; and checkpoints from which --resume goes on to the \
      bit, with the same pictures. Ctrl-C ends the step, saves and stops. A training whose loss is no number any more \
      saves its last good state and ends with exit code 70. The folder is for one training at a time.

      Example:
        dseg pretrain --images photos/ --image-size 64 --channels 32 --minutes 60 --output model/
        dseg pretrain --images photos/ --image-size 64 --channels 32 --minutes 60 --output model/ --resume
        dseg pretrain --images micrographs/ --crop random --scale 0.5 --image-size 64 --minutes 60 --output model/
        dseg pretrain --kind mae --images photos/ --image-size 64 --patch-size 4 --steps 20000 --output mae/
        dseg pretrain --kind autoencoder --images photos/ --image-size 128 --minutes 30 --output stage/
        dseg pretrain --kind latent-diffusion --first-stage stage/model.safetensors --images photos/ \\
          --image-size 128 --minutes 60 --output latent/
      """)

  @Option(
    help: ArgumentHelp(
      "Kind of model: \(PretrainingRegistry.standard.kinds.map { $0.kind }.joined(separator: ", ")).",
      valueName: "kind"))
  var kind = DiffusionPretrainingSettings.kind
  @Flag(help: "List the settings of all kinds with their defaults, and do nothing else.")
  var settings = false
  @Option(
    help:
      "Folder of pictures, in any depth. Diffusion models see their centre squares, masked autoencoders random parts, unless --crop says otherwise."
  )
  var images: String?
  @Option(help: "The folder to write to.")
  var output: String?
  @Flag(help: "Go on from the last checkpoint in the folder.")
  var resume = false
  @Flag(help: "With --resume, go on although the pictures are not those of the checkpoint.")
  var changedPictures = false
  @Option(help: "Train up to this step, counted from the very first.")
  var steps: Int?
  @Option(help: "Train for so many minutes.")
  var minutes: Double?
  @OptionGroup var reading: PictureValueOptions
  // `--channels` is the width of a network here.
  @Option(help: PictureValueOptions.channelHelp) var pictureChannels: ChannelList?
  @OptionGroup(title: "Large pictures") var crop: CropOptions
  @OptionGroup(title: "Model and training") var model: PretrainOptions
  @Option(help: "Steps from checkpoint to checkpoint.")
  var saveEvery = 1000
  @Option(help: "Checkpoints that are kept.")
  var keep = 3
  @Option(help: "Steps from sample sheet to sample sheet; 0 for one at the end.")
  var sampleEvery = 1000
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if settings { return }
    if images == nil { throw ValidationError("Give --images, a folder of pictures.") }
    if output == nil { throw ValidationError("Give --output, a folder to write to.") }
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
    if settings {
      let list = PretrainingList(PretrainingRegistry.standard)
      return common.json ? try Terminal.printJSON(list) : try Terminal.output(list.text)
    }
    try train(PretrainingRegistry.standard.named(kind), images: images!, output: output!)
  }

  private func train<Settings: PretrainingSettings>(
    _: Settings.Type, images: String, output: String
  ) throws {
    var settings = Settings()
    let given = model.given
    if let key = given.keys.sorted().first(where: { Settings.option($0) == nil }) {
      throw DataError(
        .invalidArgument, file: "--\(key)",
        expected: "a setting of \(kind): \(Settings.options.map(\.key).joined(separator: ", "))",
        found: "\(key)=\(given[key]!)")
    }
    try settings.set(given)
    settings.reading = reading.changed(PictureReading(), channels: pictureChannels)
    settings.crop = try crop.chosen()
    settings.trainer.seed = common.seed ?? 0
    for chosen in settings.plan(steps: steps) {
      Notices.ofThisRun.add(.guessed, file: output, item: "training", chosen)
    }
    try settings.validate()
    let reading = ProgressBar("pictures")
    let pictures = try UnlabelledImages(
      directory: images, imageSize: settings.imageSize, keepsWhole: Settings.usesWholePictures,
      usesClasses: settings.usesClasses, crop: settings.crop, reading: settings.reading, notices: .ofThisRun
    ) { reading.update($0, "reading") }
    reading.finish()
    settings.prepare(classCount: pictures.classNames?.count)
    var pretraining = try Pretraining(
      settings: settings, folder: PretrainingFolder(output), pictures: pictures.record, resumes: resume,
      picturesMayChange: changedPictures, notices: .ofThisRun)
    pretraining.schedule.save = saveEvery
    pretraining.schedule.keep = keep
    pretraining.schedule.samples.every = sampleEvery
    Interruption.watch()
    let bar = ProgressBar("training")
    var last: PretrainingProgress?
    func show(_ progress: PretrainingProgress) {
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
