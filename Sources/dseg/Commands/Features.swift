import ArgumentParser
import Augment
import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation
import Images

struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Extract the features of pictures.",
    discussion: """
      Writes a .safetensors file with tensors named <image stem>/<activation>, [channels, height, width], each at its \
      own resolution; those of diffusion models are named step<t>/block<b>.

      Example:
        dseg features --checkpoint lsun_horse.pt --steps 50,150,250 --output features.safetensors photo.jpg
        dseg features --checkpoint lsun_horse.pt --pca components.png horses/
      """)

  @Option(
    help: ArgumentHelp("The pretrained model, a checkpoint (.pt or .safetensors).", valueName: "[name=]file"))
  var checkpoint: String
  @OptionGroup var selection: FeatureOptions
  @OptionGroup var network: JoinedModels
  @OptionGroup var reading: PictureOptions
  @OptionGroup(title: "Fit") var fit: FitOptions
  @Option(help: ArgumentHelp("The file to write.", valueName: "file.safetensors"))
  var output: String?
  @Option(
    help: ArgumentHelp(
      "A picture to write: the pictures beside the first three principal components of their features as colours.",
      valueName: "sheet.png"))
  var pca: String?
  @OptionGroup var common: CommonOptions
  @Argument(help: "Pictures, or folders of them.")
  var images: [String]

  func validate() throws {
    if fit.isGiven, (try? fit.applied().tiling) != nil {
      throw ValidationError("--fit is pad or crop: features of tiles are for training and prediction alone.")
    }
    if output == nil && pca == nil { throw ValidationError("Give --output, --pca or both.") }
  }

  func run() throws {
    try common.apply()
    let files = try PictureFiles.expand(images, notices: .ofThisRun)
    let paths = files.map(\.path)
    try OutputGuard.check(
      outputs: [output, pca].compactMap(\.self),
      inputs: OutputGuard.picturesAndMasks(paths) + network.paths(first: checkpoint)
        + [selection.noise])
    if let output { try OutputGuard.checkWritable(output, as: .tensors) }
    if let pca { try OutputGuard.checkWritable(pca, as: .picture) }
    let features = try network.features(
      of: network.opened(first: checkpoint), common: network.given(selection.given)
    ).redrawn(seed: common.seed ?? 0, draws: nil)
    let layout = features.layout
    func name(_ stem: String, _ key: FeatureKey) -> String { "\(stem)/\(key.name)" }
    let stream = try output.map { (path) throws(DataError) in
      try SafetensorsStream(
        path: path, metadata: ["program": "DiffusionSegmentation \(Version.current)"],
        names: files.flatMap { file in layout.map { name(file.name, $0.key) } })
    }
    if let pca {
      let side = features.input.size
      try AvailableMemory.require(
        Double(paths.count) * features.mapBytes(height: side, width: side, precision: .float), file: pca,
        item: "memory of the features of \(paths.count) pictures, all at once for their components")
    }
    let bar = ProgressBar("features")
    let start = ContinuousClock.now
    var done = 0
    var pictures: [(image: Image, maps: FeatureMaps)] = []
    var failed: [Failure] = []
    for (index, file) in files.enumerated() {
      if let (image, maps) = try extraction(of: file, by: features, failed: &failed) {
        if let stream {
          for map in maps.maps {
            try stream.append(name(files[index].name, map.key), map.tensor)
          }
        }
        if pca != nil { pictures.append((image, maps)) }
        done += 1
      }
      bar.update(Double(index + 1) / Double(paths.count), "\(index + 1) of \(paths.count) pictures")
    }
    bar.finish()
    // A file without a tensor would be taken for a result.
    if done == 0 { return try endWithFailures(failed.count) }
    try stream?.finish()
    if let pca { try sheet(of: pictures).write(to: pca) }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if common.json {
      try Terminal.printJSON(
        Figures(
          images: paths.count - failed.count, failed: failed, seconds: seconds,
          secondsAPicture: seconds / Double(done)))
    } else {
      let each = String(format: "%.2f", seconds / Double(done))
      try Terminal.output(
        "\([output, pca].compactMap(\.self).joined(separator: ", ")): \(paths.count - failed.count) pictures, \(features.channels) features a pixel, \(each) s a picture"
          + (failed.isEmpty ? "" : "; \(failed.count) left out"))
    }
    try endWithFailures(failed.count)
  }

  /// The picture as the network sees it, and its features; nil for one that cannot be used.
  private func extraction(
    of file: PictureFile, by features: any PixelFeatures, failed: inout [Failure]
  ) throws(DataError) -> (Image, FeatureMaps)? {
    try going(on: file.title, failed: &failed) { () throws(DataError) in
      let image = try file.image(reading: reading.reading, notices: .ofThisRun)
      let geometry = try features.geometry(for: image, fit: fit.applied(), name: file.title)
      let seen = geometry.apply(image)
      return (seen, try features.extract(image, by: geometry, name: file.title))
    }
  }

  private func sheet(of pictures: [(image: Image, maps: FeatureMaps)]) throws(DataError) -> Image {
    let components = try ComponentPictures(pictures.map(\.maps), seed: common.seed ?? 0)
    var sheet = ContactSheet(columns: 2, columnTitles: ["image", "components"])
    for (picture, component) in zip(pictures, components.images) {
      let zoom = max(1, 128 / max(picture.image.width, picture.image.height))
      sheet.append(picture.image.magnified(zoom))
      sheet.append(component.magnified(zoom))
    }
    return try sheet.image()
  }

  struct Figures: Encodable {
    var images: Int
    var failed: [Failure]
    var seconds: Double
    var secondsAPicture: Double
  }
}
