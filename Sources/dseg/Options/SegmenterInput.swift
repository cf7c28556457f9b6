import ArgumentParser
import DiffusionSegmentation

/// A trained segmenter and what may be changed about it.
struct SegmenterInput: ParsableArguments {
  @Option(help: "The segmenter, as dseg train wrote it.")
  var segmenter: String
  @Option(help: "Its diffusion model, if it is no longer where it was.")
  var checkpoint: String?
  @OptionGroup var network: NetworkOptions
  @Option(
    help: "How pictures that are not square are brought to the network: pad or crop. (default: as trained)")
  var fit: ImageFit?

  func load() throws(DataError) -> Segmenter {
    var loaded = try Segmenter(contentsOf: segmenter, checkpoint: checkpoint, overrides: network.apply)
    if let fit { loaded.fit = fit }
    if let noise = try network.fixedNoise() {
      let old = loaded.features
      loaded.features = DiffusionFeatures(
        old.backbone, steps: old.steps, blocks: old.blocks, noise: noise, precision: old.precision,
        conditioningClass: old.conditioningClass)
      try loaded.features.validate()
    }
    return loaded
  }
}
