import ArgumentParser
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make pictures with a pretrained model.",
    discussion: """
      Writes a sheet of pictures: new ones from a diffusion model; from a masked autoencoder, given pictures with most \
      patches removed and as the model paints them. The same seed makes the same pictures, whatever the number of threads.

      Example:
        dseg sample --checkpoint model/model.safetensors --count 64 --sampling-steps 50 --output sheet.png
        dseg sample --checkpoint mae/model.safetensors --images photos/ --count 8 --output painted.png
      """)

  @Option(help: "The pretrained model (.pt, .pth or .safetensors).")
  var checkpoint: String
  @Option(help: "Number of pictures.")
  var count = 16
  @Option(help: .of("sampler", in: DiffusionSampling.self)) var sampler: String?
  @Option(help: .of("eta", in: DiffusionSampling.self)) var eta: String?
  @Option(help: .of("sampling-steps", in: DiffusionSampling.self)) var samplingSteps: String?
  @Option(
    name: [.customLong("class"), .customLong("label")], help: .of("class", in: DiffusionSampling.self))
  var label: String?
  @Option(help: .of("mask-ratio", in: MAESampling.self)) var maskRatio: String?
  @Option(
    help:
      "Folder of pictures that a masked autoencoder goes out from: the centre squares of the first of them.")
  var images: String?
  @OptionGroup var network: NetworkOptions
  @Option(help: "Pictures that are computed together.")
  var batch = 16
  @Option(help: "The sheet to write, .png or .jpg.")
  var output: String
  @Option(help: "Folder for a sheet after every step, of the clean pictures as the model sees them then.")
  var frames: String?
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if count < 1 || count > 4096 { throw ValidationError("--count is 1 to 4096.") }
    if batch < 1 || batch > 4096 { throw ValidationError("--batch is 1 to 4096.") }
  }

  func run() throws {
    try common.apply()
    try OutputGuard.check(outputs: [output], inputs: [checkpoint])
    try OutputGuard.checkWritable(output, as: .picture)
    let file = try Checkpoint(contentsOf: checkpoint)
    let registry = BackboneRegistry.standard
    let kind = try registry.kind(of: file, named: network.backbone)
    guard let model = kind as? any PictureModel.Type else {
      throw DataError(
        .unsupported, file: checkpoint,
        expected: registry.kinds.filter { $0 is any PictureModel.Type }.map { $0.kind }.joined(
          separator: ", ")
          + ", which make pictures", found: kind.kind)
    }
    try make(model, from: file)
  }

  /// What was given on the command line about the making, by the keys of the tables.
  private var given: [String: String] {
    [
      "sampler": sampler, "eta": eta, "sampling-steps": samplingSteps, "class": label,
      "mask-ratio": maskRatio,
    ].compactMapValues { $0 }
  }

  private func make<Model: PictureModel>(_: Model.Type, from file: Checkpoint) throws {
    var settings = Model.Sampling()
    // A setting may be of the model or of the making.
    var others: [String: String] = [:]
    for (key, value) in network.given(given) where Model.Sampling.option(key) == nil { others[key] = value }
    if let key = given.keys.sorted().first(where: { Model.Sampling.option($0) == nil }) {
      throw DataError(
        .invalidArgument, file: "--\(key)",
        expected: "a setting of \(Model.kind): \(Model.Sampling.options.map(\.key).joined(separator: ", "))",
        found: "\(key)=\(given[key]!)")
    }
    try settings.set(network.given(given).filter { Model.Sampling.option($0.key) != nil })
    guard Model.takesPictures == (images != nil) else {
      throw DataError(
        .invalidArgument, file: "--images",
        expected: Model.takesPictures
          ? "pictures, which \(Model.kind) goes out from" : "none for \(Model.kind)",
        found: images ?? "none")
    }
    guard frames == nil || Model.makesFrames else {
      throw DataError(
        .invalidArgument, file: "--frames", expected: "none for \(Model.kind), which takes no steps",
        found: frames!)
    }
    if let frames { try createFolder(frames) }
    let model = try Model(
      file, options: Model.options(of: file, settings: others, notices: .ofThisRun),
      weights: network.weightsChoice, notices: .ofThisRun)
    var request = SampleRequest(
      count: count, seed: common.seed ?? 0, batch: frames == nil ? batch : count)
    if let images { request.pictures = try squares(in: images) }
    let bar = ProgressBar("sampling")
    let start = ContinuousClock.now
    let sheet = try model.sheet(request, settings: settings) { (progress) throws(DataError) in
      bar.update(progress.share, progress.text)
      if let frames, let frame = progress.frame {
        try frame().write(to: "\(frames)/\(String(format: "frame-%05d.png", progress.step))")
      }
    }
    bar.finish()
    try sheet.write(to: output)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let made = Model.takesPictures ? request.pictures.count : count
    if common.json {
      try Terminal.printJSON(Figures(output: output, count: made, seconds: seconds))
    } else {
      try Terminal.output("\(output): \(made) pictures in \(String(format: "%.1f", seconds)) s")
    }
  }

  /// The first pictures of a folder that can be read.
  private func squares(in folder: String) throws(DataError) -> [Image] {
    var pictures: [Image] = []
    for path in try PictureFiles.list(folder, notices: .ofThisRun) where pictures.count < count {
      do throws(DataError) {
        pictures.append(try Image(contentsOf: path, notices: .ofThisRun))
      } catch {
        try Notices.ofThisRun.leaveOut(error)
      }
    }
    guard !pictures.isEmpty else {
      throw DataError(.noInput, file: folder, expected: "a picture that can be read", found: "none")
    }
    if pictures.count < count {
      Notices.ofThisRun.add(
        .changed, file: folder, item: "--count \(count)", "there are \(pictures.count) pictures")
    }
    return pictures
  }

  struct Figures: Encodable {
    var output: String
    var count: Int
    var seconds: Double
  }
}
