import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import PixelClassifier

/// An evaluation with its outputs: a table or JSON, and optionally files.
struct EvaluationRun {
  var segmenter: Segmenter
  var labelled: LabelledImages
  /// Folder for the files; nothing is written without one.
  var output: String?
  var json: Bool
  var metric: IoUDefinition = .ledm
  /// Figures of the training right before.
  var training: TrainingPlan.Figures?

  /// Pictures on the contact sheet.
  private static let sheetRows = 8

  /// - Throws: `DataError`, or the exit code of unsuitable data when a picture had to be left out.
  func run() throws {
    let bar = ProgressBar("pictures")
    let predictions = output.map { ($0 as NSString).appendingPathComponent("predictions") }
    let stems = predictions.map { folder in
      labelled.pictures.map { (folder as NSString).appendingPathComponent($0.name) }
    }
    if let output, let predictions, let stems {
      try createFolder(predictions)
      let files = ["sheet.png", "metrics.json"].map { (output as NSString).appendingPathComponent($0) }
      try OutputGuard.check(
        outputs: stems.map { "\($0).npy" } + files,
        inputs: OutputGuard.picturesAndMasks(labelled.imagePaths))
    }
    let lock = try output.map { (folder) throws(DataError) in
      try FolderLock(folder: folder, owner: "an evaluation of dseg")
    }
    defer { withExtendedLifetime(lock) {} }
    if let output { AtomicFile.removeLeftovers(in: output) }
    warnOfUnlearnedClasses()
    var sheet = SegmentationSheet(classes: segmenter.classes, members: segmenter.ensemble.members.count)
    var shown = 0
    let evaluation = try segmenter.evaluate(on: labelled, notices: .ofThisRun) {
      (index, item, result) throws(DataError) in
      if let stems {
        let mask = result.labelsAtModelSize
        try createFolder((stems[index] as NSString).deletingLastPathComponent)
        try NpyFile.write(
          NumericArray(mask.labels, shape: [mask.height, mask.width]), to: "\(stems[index]).npy")
        if shown < Self.sheetRows { sheet.append(item, result) }
        shown += 1
      }
      bar.update(Double(index + 1) / Double(labelled.count), "\(index + 1) of \(labelled.count)")
    }
    bar.finish()
    labelled.reportInexactColors()
    let report = EvaluationReport(evaluation, metric: metric)
    if let output {
      try sheet.image().write(to: (output as NSString).appendingPathComponent("sheet.png"))
      try report.write(to: (output as NSString).appendingPathComponent("metrics.json"))
    }
    if json {
      try Terminal.printJSON(Figures(report: report, training: training))
    } else {
      try Terminal.output(report.table)
    }
    try endWithFailures(evaluation.failed.count)
  }

  /// A class that no training picture had is never predicted, and a mean over the others hides it.
  private func warnOfUnlearnedClasses() {
    for (index, entry) in (segmenter.census?.classes ?? []).enumerated()
    where entry.used == 0 && index != Int(segmenter.classes.ignoreLabel) {
      Notices.ofThisRun.add(
        .suspicious, file: "class \(index)", item: entry.name == "class \(index)" ? "" : entry.name,
        "the segmenter was trained without a pixel of it")
    }
  }

  /// The evaluation's figures, and those of the training before it.
  private struct Figures: Encodable {
    var report: EvaluationReport
    var training: TrainingPlan.Figures?

    private enum Key: String, CodingKey { case training }

    func encode(to encoder: any Encoder) throws {
      try report.encode(to: encoder)
      var container = encoder.container(keyedBy: Key.self)
      try container.encodeIfPresent(training, forKey: .training)
    }
  }
}

extension EvaluationReport {
  var table: String {
    func percent(_ share: Double?) -> String { share.map { String(format: "%.2f", $0 * 100) } ?? "-" }
    var rows = [["class", "IoU %", "Dice %", "pixels"]]
    for entry in perClass {
      rows.append([entry.name, percent(entry.iou), percent(entry.dice), "\(entry.pixels)"])
    }
    // A mean over some classes must not pass for one over all.
    let counted = perClass.count { $0.iou != nil }
    let mean =
      "mean IoU (\(metric))" + (counted < perClass.count ? ", \(counted) of \(perClass.count) classes" : "")
    return Table(rows: rows).text + "\n\n"
      + Table(rows: [
        [mean, "\(percent(miou)) %"], ["pixel accuracy", "\(percent(pixelAccuracy)) %"],
        ["pictures", "\(images)"], ["seconds", String(format: "%.1f", seconds)],
      ]).text
  }
}
