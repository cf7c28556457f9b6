import Annotations
import ArgumentParser
import Base
import DiffusionSegmentation
import Foundation
import Images

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Label pictures.",
    discussion: """
      Writes for each picture: <stem>.npy (labels, uint8), <stem>.png (labels as an indexed picture), \
      <stem>.overlay.png and <stem>.uncertainty.png, all at the picture's own size. Pages of a TIFF file are pictures \
      of their own, stack/p001 and so on. With --format also <stem>.json (labelme), <stem>.geojson (QuPath), or one \
      annotations.json for all (COCO), to be corrected there and read again; with --probabilities \
      <stem>.probabilities.tif, or <stem>.probability0.png and so on.

      A picture that cannot be used is left out with a warning, and the exit code is 65 in the end. What is finished is \
      listed in predictions.jsonl, by which --resume goes on.

      Example:
        dseg predict --segmenter horses.safetensors --output masks photos/
      """)

  @OptionGroup var input: SegmenterInput
  @Option(help: "Folder to write to; made if it is not there.")
  var output: String
  @OptionGroup var outputs: PredictionOutputs
  @Flag(
    help: """
      Keep what an earlier run finished in the folder, as long as the picture's file has not changed since; results of \
      another segmenter or other settings are an error.
      """)
  var resume = false
  @OptionGroup var common: CommonOptions
  @Argument(help: "Pictures, or folders of them.")
  var images: [String]

  func run() throws {
    try common.apply()
    try outputs.check()
    let pictures = try PictureFiles.expand(images, notices: .ofThisRun)
    let segmenter = try input.load(seed: common.seed)
    let stems = pictures.map { (output as NSString).appendingPathComponent($0.name) }
    let formats = outputs.formats
    try OutputGuard.check(
      outputs: stems.flatMap {
        Set(outputs.names(stem: $0, classes: segmenter.classes.count) + outputs.largeNames(stem: $0)).sorted()
      } + (formats.contains(.coco) ? [PredictionOutputs.annotations(in: output)] : [])
        + [PredictionLog.path(in: output)],
      inputs: OutputGuard.picturesAndMasks(pictures.map(\.path)) + [input.segmenter]
        + input.network.paths(first: input.checkpoint))
    try createFolder(output)
    Interruption.watch()
    let log = try PredictionLog(in: output, header: .init(segmenter, outputs), resumes: resume)
    let bar = ProgressBar("pictures")
    var (done, failed) = ([PictureFigures](), [Failure]())
    let writer = LabelWriter(classes: segmenter.classes)
    var annotated: [AnnotatedPicture] = []
    for (index, (picture, stem)) in zip(pictures, stems).enumerated() {
      try checkInterruption(index, of: pictures.count)
      var entry = log.entry(of: picture, in: output)
      let isKept = entry != nil
      if entry == nil {
        do throws(DataError) {
          entry = try going(on: picture.title, failed: &failed) { () throws(DataError) in
            try write(picture, by: segmenter, to: stem)
          }
        } catch {
          // In the midst of a large picture.
          if error.kind == .cancelled { try checkInterruption(index, of: pictures.count) }
          throw error
        }
        if let entry { try log.append(entry) }
      }
      if let entry {
        if let mask = entry.mask {
          let name = picture.name + "." + (picture.path as NSString).pathExtension
          annotated.append(try writer.shapes(LabelMask(decoding: Array(mask), name: stem), name: name))
        }
        done.append(PictureFigures(entry, isKept: isKept, in: output))
      }
      bar.update(Double(index + 1) / Double(pictures.count), "\(index + 1) of \(pictures.count)")
    }
    bar.finish()
    if formats.contains(.coco) {
      try writer.writeCOCO(annotated, to: PredictionOutputs.annotations(in: output))
    }
    if common.json {
      try Terminal.printJSON(Figures(pictures: done, failed: failed))
    } else {
      let new = done.filter { !$0.kept }
      let seconds = new.reduce(0) { $0 + $1.seconds } / Double(max(new.count, 1))
      try Terminal.output(
        "\(output): \(new.count) pictures, \(String(format: "%.2f", seconds)) s each"
          + (resume ? "; \(done.count - new.count) were there" : "")
          + (failed.isEmpty ? "" : "; \(failed.count) left out"))
    }
    try endWithFailures(failed.count)
  }

  private func checkInterruption(_ done: Int, of count: Int) throws {
    try Interruption.check(done, of: count, "pictures", in: output, hint: "--resume goes on")
  }

  /// Segments a picture and writes its files. A folder of thousands does not end at one that cannot be used.
  private func write(
    _ picture: PictureFile, by segmenter: Segmenter, to stem: String
  ) throws(DataError) -> PredictionLog.Entry {
    let start = ContinuousClock.now
    let identity = FileIdentity(path: picture.path)
    var files = PredictionFiles(stem: stem, segmenter: segmenter, outputs: outputs, picture: picture.path)
    let isLarge = try isLarge(picture, for: segmenter)
    let (uncertainty, mask) = try isLarge ? writeLarge(picture, files) : writeWhole(picture, &files)
    var encoded: [UInt8]?
    if outputs.formats.contains(.coco) { encoded = try mask?.encoded() }
    return PredictionLog.Entry(
      name: picture.name, image: picture.path, page: picture.page, bytes: identity?.size ?? 0,
      modified: identity?.modified ?? 0,
      files: isLarge
        ? outputs.largeNames(stem: picture.name, inForms: mask != nil)
        : outputs.names(stem: picture.name, classes: segmenter.classes.count),
      uncertainty: uncertainty, seconds: (ContinuousClock.now - start) / .seconds(1),
      mask: encoded.map { Data($0) })
  }

  private func isLarge(_ picture: PictureFile, for segmenter: Segmenter) throws(DataError) -> Bool {
    guard segmenter.fit.tiling != nil else { return false }
    let size = try Image.size(ofFile: picture.path, page: picture.page ?? 0)
    return size.width * size.height > LargePrediction.leastPixels
  }

  private typealias Written = (uncertainty: Float, mask: LabelMask?)

  private func writeLarge(_ picture: PictureFile, _ files: PredictionFiles) throws(DataError) -> Written {
    let stream = try PictureStream(
      contentsOf: picture.path, page: picture.page, reading: files.segmenter.reading, notices: .ofThisRun)
    try createFolder((files.stem as NSString).deletingLastPathComponent)
    let written = try LargePrediction(files: files).write(stream, name: picture.title)
    return (written.score, written.mask)
  }

  private func writeWhole(
    _ picture: PictureFile, _ files: inout PredictionFiles
  ) throws(DataError) -> Written {
    let image = try picture.image(reading: files.segmenter.reading, notices: .ofThisRun)
    files.pixelSize = try Image.pixelSize(ofFile: picture.path, page: picture.page ?? 0)
    let result = try files.segmenter.segment(
      image, name: picture.title, pixelSize: files.pixelSize, withProbabilities: outputs.probabilities != nil)
    try createFolder((files.stem as NSString).deletingLastPathComponent)
    try files.write(image, result)
    return (result.imageUncertainty, result.labels)
  }

  struct Figures: Encodable {
    var pictures: [PictureFigures]
    var failed: [Failure]
  }

  struct PictureFigures: Encodable {
    var image: String
    /// Of a file with several, counted from 0.
    var page: Int?
    var labels: String
    var uncertainty: Float
    var seconds: Double
    /// Whether an earlier run made it.
    var kept: Bool

    init(_ entry: PredictionLog.Entry, isKept: Bool, in folder: String) {
      (image, page) = (entry.image, entry.page)
      labels = (folder as NSString).appendingPathComponent(entry.files[0])
      (uncertainty, seconds, kept) = (entry.uncertainty, entry.seconds, isKept)
    }
  }
}
