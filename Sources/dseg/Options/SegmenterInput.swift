import ArgumentParser
import Augment
import Base
import DiffusionSegmentation
import PixelClassifier

/// A trained segmenter and what may be changed about it.
struct SegmenterInput: ParsableArguments {
  @Option(help: "The segmenter, as dseg train wrote it.")
  var segmenter: String
  @Option(
    help: ArgumentHelp(
      "Its pretrained model, if it is no longer where it was; --also for others that it has.",
      valueName: "[name=]file"))
  var checkpoint: String?
  @OptionGroup var network: JoinedModels
  @Option(
    help: ArgumentHelp(
      "Noise for all pictures, [3, size, size], instead of the segmenter's.", valueName: "file.npy"))
  var noise: String?
  @OptionGroup(title: "Fit") var fit: FitOptions
  @OptionGroup var pictures: PictureOptions
  @Option(help: "Let only the first members vote. (default: all)")
  var models: Int?
  @OptionGroup(title: "Prediction") var prediction: PredictionOptions

  /// - Parameter seed: replaces that of test-time augmentation, and of a segmenter which draws new noise for every
  ///   picture
  func load(seed: UInt64?) throws(DataError) -> Segmenter {
    let file = try SegmenterFile(contentsOf: segmenter)
    var loaded = try Segmenter(
      file,
      models: network.changes(
        to: file, first: checkpoint, others: noise.map { ["noise": $0] } ?? [:]), notices: .ofThisRun)
    let fit = try fit.applied(to: loaded.fit)
    if fit != loaded.fit {
      Notices.ofThisRun.add(
        .suspicious, file: segmenter, item: "--fit \(fit)", "the segmenter was trained with \(loaded.fit)")
    }
    loaded.fit = fit
    let reading = pictures.changed(loaded.reading)
    if reading.channels != loaded.reading.channels || reading.range != loaded.reading.range {
      Notices.ofThisRun.add(
        .suspicious, file: segmenter, item: "--channels or --range",
        "the segmenter was trained with pictures that were read in another way")
    }
    loaded.reading = reading
    if let models {
      let members = loaded.ensemble.members
      guard (1...members.count).contains(models) else {
        throw DataError(
          .invalidArgument, file: "--models", expected: "1 to \(members.count), the members of the segmenter",
          found: "\(models)")
      }
      loaded.ensemble = try PixelEnsemble(Array(members.prefix(models)))
    }
    try prediction.apply(to: &loaded.prediction)
    if let seed { loaded.prediction.seed = seed }
    if let seed { loaded.features = loaded.features.redrawn(seed: seed, draws: nil) }
    return loaded
  }
}
