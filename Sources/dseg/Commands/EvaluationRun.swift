import DiffusionSegmentation
import Foundation

/// An evaluation with its outputs: a table or JSON, and optionally files.
struct EvaluationRun {
  var segmenter: Segmenter
  var labelled: LabelledImages
  /// Folder for the files; nothing is written without one.
  var output: String?
  var json: Bool
  var metric: IoUDefinition = .ledm

  /// Pictures on the contact sheet.
  private static let sheetRows = 8

  func run() throws(DataError) {
    let bar = ProgressBar("pictures")
    let predictions = output.map { ($0 as NSString).appendingPathComponent("predictions") }
    if let predictions { try createFolder(predictions) }
    let stems = try predictions == nil ? [] : uniqueStems(of: labelled.imagePaths)
    if let output, let predictions {
      let names = stems.map { (predictions as NSString).appendingPathComponent("\($0).npy") }
      let files = ["sheet.png", "metrics.json"].map { (output as NSString).appendingPathComponent($0) }
      try OutputGuard.check(outputs: names + files, inputs: OutputGuard.picturesAndMasks(labelled.imagePaths))
    }
    var sheet = SegmentationSheet(classes: segmenter.classes, members: segmenter.ensemble.members.count)
    let evaluation = try segmenter.evaluate(on: labelled) { (done, item, result) throws(DataError) in
      if let predictions {
        let mask = result.modelLabels
        try NpyFile.write(
          NumericArray(mask.labels, shape: [mask.height, mask.width]),
          to: (predictions as NSString).appendingPathComponent("\(stems[done - 1]).npy"))
        if done <= Self.sheetRows { sheet.append(item, result) }
      }
      bar.update(Double(done) / Double(labelled.count), "\(done) of \(labelled.count)")
    }
    bar.finish()
    let report = EvaluationReport(evaluation, metric: metric)
    if let output {
      try sheet.image().write(to: (output as NSString).appendingPathComponent("sheet.png"))
      try report.write(to: (output as NSString).appendingPathComponent("metrics.json"))
    }
    if json { try Terminal.printJSON(report) } else { try Terminal.output(report.table) }
  }
}

extension EvaluationReport {
  var table: String {
    func percent(_ share: Double?) -> String { share.map { String(format: "%.2f", $0 * 100) } ?? "-" }
    var rows = [["class", "IoU %", "Dice %", "pixels"]]
    for entry in perClass {
      rows.append([entry.name, percent(entry.iou), percent(entry.dice), "\(entry.pixels)"])
    }
    return Table(rows: rows).text + "\n\n"
      + Table(rows: [
        ["mean IoU (\(metric))", "\(percent(miou)) %"], ["pixel accuracy", "\(percent(pixelAccuracy)) %"],
        ["pictures", "\(images)"], ["seconds", String(format: "%.1f", seconds)],
      ]).text
  }
}
