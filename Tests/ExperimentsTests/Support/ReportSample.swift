import DiffusionSegmentation
import Experiments
import Foundation
import Images
import TensorCore
import Testing

/// A report with made-up figures.
struct ReportSample: Sendable, CustomTestStringConvertible {
  var report: ExperimentReport
  var pictures: ReportPictures

  var testDescription: String {
    "\(report.presets.count) presets, \(report.testSets.count) sets, \(report.classes.count) classes"
  }

  static let all = [
    ReportSample(presets: 1, sets: 1, classes: 2, seeds: 1, hasCurve: false, hasPictures: false),
    ReportSample(presets: 3, sets: 2, classes: 3, seeds: 5),
    ReportSample(presets: 8, sets: 2, classes: 34, seeds: 2, hasMemory: false),
    ReportSample(presets: 12, sets: 5, classes: 21, seeds: 3, hasPictures: false),
  ]

  init(
    presets: Int, sets: Int, classes: Int, seeds: Int, hasCurve: Bool = true, hasPictures: Bool = true,
    hasMemory: Bool = true
  ) {
    var random = Philox(seed: UInt64(presets * 100 + classes))
    func share() -> Double { Double(random.uniform()) }
    func score(_ preset: Int) -> [String: Any] {
      let values = (0..<seeds).map { _ in share() }
      let mean = values.reduce(0, +) / Double(seeds)
      let estimate = share() - 0.5
      var score: [String: Any] = [
        "miou": ["values": values, "mean": mean, "deviation": share()], "secondsAPicture": share(),
        "classIoU": (0..<classes).map { _ in share() },
        "confusion": (0..<classes).map { _ in (0..<classes).map { _ in Int(1000 * share()) } },
      ]
      if preset > 0 {
        score["difference"] = ["estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1]
      }
      return score
    }
    func preset(_ number: Int) -> [String: Any] {
      let settings = SegmenterPreset.columns.dropFirst().map { "\($0) \(number)" }
      var preset: [String: Any] = [
        "id": "preset \(number)", "summary": "number \(number)", "settings": ["preset \(number)"] + settings,
        "trainingSeconds": 100 * share(), "scores": (0..<sets).map { _ in score(number) },
      ]
      if hasMemory { preset["peakBytes"] = 500_000_000 + number }
      preset["curve"] = (hasCurve ? Array(1...5) : []).map { epoch -> [String: Any] in
        ["epoch": epoch, "training": share(), "test": (0..<sets).map { _ in share() }]
      }
      preset["curveSeeds"] = hasCurve ? seeds : 0
      return preset
    }
    let palette = Palette.distinct(count: classes)
    let setup: [String: Any] = [
      "model": "model.pt", "steps": [50, 150], "blocks": [2, 3], "features": 1824, "imageSize": 64,
      "trainingPictures": 20, "seeds": Array(0..<seeds), "metric": "ledm", "threads": 2, "version": "0.1",
    ]
    let json: [String: Any] = [
      "setup": setup, "seconds": 1234,
      "classes": (0..<classes).map { label -> [String: Any] in
        ["name": "class \(label)", "color": "\(palette[UInt8(label)])", "isScored": label != 1]
      },
      "testSets": (0..<sets).map { ["name": "set \($0)", "pictures": 40 + $0] as [String: Any] },
      "presets": (0..<presets).map(preset),
    ]
    // Made above, so it can be read.
    report = try! JSONDecoder().decode(
      ExperimentReport.self, from: JSONSerialization.data(withJSONObject: json))
    let image = Image(width: 16, height: 12, color: RGB(9, 99, 200))
    pictures =
      hasPictures
      ? ReportPictures(
        previews: [.init(name: "a.png", original: image, copies: [image, image])],
        worst: [
          .init(
            name: "b.png", testSet: "set 0", firstIoU: 0.25, lastIoU: 0.125, image: image, truth: image,
            first: image,
            last: image, difference: image, uncertainty: image)
        ]) : ReportPictures()
  }
}
