import DiffusionSegmentation
import Foundation

/// Where a demo leaves what it makes.
///
///     index.html               the page: table and pictures
///     sheet.png, demo.json     its picture and its figures
///     model.safetensors        the diffusion model
///     segmenter.safetensors    the trained ensemble, for `dseg predict` and `dseg evaluate`
///     train/, test/            scenes with their masks, as `dseg train` takes them; classes.json
///     masks/                   what was predicted for the test scenes
public struct DemoFolder: Sendable {
  public let path: String

  enum Part: String, CaseIterable {
    case training = "train"
    case test, masks
  }

  public init(_ path: String) { self.path = path }

  public var pagePath: String { "\(path)/index.html" }
  public var modelPath: String { "\(path)/model.safetensors" }
  public var segmenterPath: String { "\(path)/segmenter.safetensors" }
  var sheetPath: String { "\(path)/sheet.png" }
  var figuresPath: String { "\(path)/demo.json" }
  var classesPath: String { "\(path)/classes.json" }

  private func path(of part: Part, _ index: Int, _ ending: String) -> String {
    "\(path)/\(part.rawValue)/scene-\(String(format: "%03d", index))\(ending)"
  }

  /// Makes the folder, or takes the one of an earlier demo.
  /// - Throws: `DataError` when it holds anything else, or cannot be made.
  func create() throws(DataError) {
    let files = [pagePath, modelPath, segmenterPath, sheetPath, figuresPath, classesPath]
    let own = Set(files.map { ($0 as NSString).lastPathComponent } + Part.allCases.map(\.rawValue))
    let present = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    if let stranger = present.sorted().first(where: { !own.contains($0) }) {
      throw DataError(
        .cannotCreate, file: path, expected: "a new folder, or that of an earlier demo",
        found: "\(stranger) in it")
    }
    do {
      for part in Part.allCases {
        // A smaller demo after a larger one leaves none of its pictures.
        try? FileManager.default.removeItem(atPath: "\(path)/\(part.rawValue)")
        try FileManager.default.createDirectory(
          atPath: "\(path)/\(part.rawValue)", withIntermediateDirectories: true)
      }
    } catch {
      throw DataError(
        .cannotCreate, file: path, expected: "a folder to write to", found: error.localizedDescription)
    }
  }

  func copyModel(from checkpoint: String) throws(DataError) {
    let file = try MappedFile(path: checkpoint)
    let copy = try AtomicFile(path: modelPath)
    try copy.write(file.bytes)
    try copy.commit()
  }

  func write(_ scenes: [SyntheticScene], to part: Part) throws(DataError) {
    for (index, scene) in scenes.enumerated() {
      try scene.image.write(to: path(of: part, index, ".png"))
      try scene.mask.write(to: path(of: part, index, ".mask.png"), palette: SyntheticScenes.classes.palette)
    }
    try SyntheticScenes.classes.write(to: classesPath)
  }

  func write(_ predictions: [PixelPrediction]) throws(DataError) {
    for (index, prediction) in predictions.enumerated() {
      try LabelMask(prediction).write(
        to: path(of: .masks, index, ".png"), palette: SyntheticScenes.classes.palette)
    }
  }

  /// Writes the figures, the sheet and the page that shows both.
  func write(_ report: DemoReport, sheet: Image) throws(DataError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let figures = try? encoder.encode(report) else {
      throw DataError(.writeFailed, file: figuresPath, expected: "finite figures", found: "others")
    }
    let picture = try sheet.encoded(.png, name: sheetPath)
    try AtomicFile.write(Array(figures) + [UInt8(ascii: "\n")], to: figuresPath)
    try AtomicFile.write(picture, to: sheetPath)
    try AtomicFile.write(
      Array(DemoPage(report: report, sheet: picture, folder: self).html.utf8), to: pagePath)
  }
}

extension LabelMask {
  init(_ prediction: PixelPrediction) {
    self.init(width: prediction.width, height: prediction.height, labels: prediction.labels)
  }
}
