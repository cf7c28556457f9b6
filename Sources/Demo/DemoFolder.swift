import Base
import Checkpoints
import DiffusionSegmentation
import Experiments
import Foundation
import Images
import PixelClassifier
import SyntheticScenes

/// Where a demo leaves what it makes.
///
///     report.html              the page: tables, charts and pictures
///     report.json, …csv        its figures
///     sheet.png                some test scenes and their labels
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

  public var pagePath: String { "\(path)/report.html" }
  public var modelPath: String { "\(path)/model.safetensors" }
  public var segmenterPath: String { "\(path)/segmenter.safetensors" }
  var sheetPath: String { "\(path)/sheet.png" }
  var figuresPath: String { "\(path)/report.json" }
  var classesPath: String { "\(path)/classes.json" }

  /// Name of a scene's files, without ending.
  static func name(_ index: Int) -> String { "scene-\(String(format: "%03d", index))" }

  private func path(of part: Part, _ index: Int, _ ending: String) -> String {
    "\(path)/\(part.rawValue)/\(Self.name(index))\(ending)"
  }

  private static let tables = ["results", "summary", "classes", "curves"]
  private func tablePath(_ name: String) -> String { "\(path)/\(name).csv" }

  /// Makes the folder, or takes the one of an earlier demo and removes that demo's pictures.
  /// - Returns: what keeps other demos out
  /// - Throws: `DataError` when it holds anything that no demo made, cannot be made, or another demo is running in it.
  func create() throws(DataError) -> FolderLock {
    try checkThatItIsOurs()
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw DataError(
        .cannotCreate, file: path, expected: "a folder to write to", found: error.localizedDescription)
    }
    let lock = try FolderLock(folder: path, owner: "dseg demo")
    AtomicFile.removeLeftovers(in: path)
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
    return lock
  }

  /// People call their folders `train` and `test` too: every name below is looked at before one is removed. A demo
  /// makes all three folders first, so that also one that was stopped is known by them.
  private func checkThatItIsOurs() throws(DataError) {
    let files =
      [pagePath, modelPath, segmenterPath, sheetPath, figuresPath, classesPath] + Self.tables.map(tablePath)
    let parts = Part.allCases.map(\.rawValue)
    let own = Set(files.map { ($0 as NSString).lastPathComponent } + parts)
    let present = Self.names(in: path).filter { !Self.isUnfinished($0) }
    guard !present.isEmpty else { return }
    let strangers =
      present.filter { !own.contains($0) && !Self.isUnfinished($0) }
      + parts.flatMap { part in
        Self.names(in: "\(path)/\(part)").filter { !Self.isScene($0) && !Self.isUnfinished($0) }
          .map { "\(part)/\($0)" }
      }
    if let missing = parts.first(where: { !present.contains($0) }), strangers.isEmpty {
      throw refusal("\(present[0]) in it, but no \(missing)")
    }
    if let stranger = strangers.first { throw refusal("\(stranger) in it") }
  }

  private func refusal(_ found: String) -> DataError {
    DataError(
      .cannotCreate, file: path, expected: "a new folder, or that of an earlier demo", found: found)
  }

  private static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// As `path(of:_:_:)` names them.
  private static func isScene(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return name.hasPrefix("scene-") && Int(parts[0].dropFirst("scene-".count)) != nil
      && (parts.dropFirst() == ["png"] || parts.dropFirst() == ["mask", "png"])
  }

  /// Whether a file was left by a demo that was killed while it wrote.
  private static func isUnfinished(_ name: String) -> Bool {
    name.hasPrefix(".") && name.hasSuffix(".tmp") || name == FolderLock.fileName
  }

  func copyModel(from checkpoint: OpenedFile) throws(DataError) {
    let copy = try AtomicFile(path: modelPath)
    try checkpoint.withBytes { (bytes) throws(DataError) in try copy.write(bytes) }
    try copy.commit()
  }

  func write(_ scenes: [SyntheticScene], to part: Part) throws(DataError) {
    for (index, scene) in scenes.enumerated() {
      // The picture last: one without labels would be half of a pair.
      try scene.mask.write(to: path(of: part, index, ".mask.png"), palette: SyntheticScenes.classes.palette)
      try scene.image.write(to: path(of: part, index, ".png"))
    }
    try SyntheticScenes.classes.write(to: classesPath)
  }

  func write(_ predictions: [ScenePrediction]) throws(DataError) {
    for (index, prediction) in predictions.enumerated() {
      try prediction.labels.write(
        to: path(of: .masks, index, ".png"), palette: SyntheticScenes.classes.palette)
    }
  }

  /// Writes the figures, the sheet and the page.
  func write(_ report: ExperimentReport, page: ReportPage, sheet: Image) throws(DataError) {
    try writeFigures(report, to: figuresPath)
    for (name, text) in report.tables { try AtomicFile.write(Array(text.utf8), to: tablePath(name)) }
    try sheet.write(to: sheetPath)
    try page.write(to: pagePath)
  }
}

extension LabelMask {
  init(_ prediction: PixelPrediction) {
    self.init(width: prediction.width, height: prediction.height, labels: prediction.labels)
  }
}
