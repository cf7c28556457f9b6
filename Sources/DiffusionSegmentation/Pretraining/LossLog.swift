import DiffusionCore
import Foundation
import Images
import TensorCore

/// The losses of a training, a row a step, as CSV and as a curve.
struct LossLog: Sendable {
  private struct Row {
    var step: Int
    var loss: Double
    var line: String
  }
  private var rows: [Row] = []
  private static let header = "step,loss,mse,variational,gradient_norm,seconds"

  init() {}

  /// What an earlier run has written, up to a step.
  init(contentsOf path: String, upTo step: Int) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count >= 2, let number = Int(fields[0]), number <= step, let loss = Double(fields[1])
      else { continue }
      rows.append(Row(step: number, loss: loss, line: String(line)))
    }
  }

  mutating func append(_ report: DiffusionTrainingReport, seconds: Double) {
    func text(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
    let fields = [
      "\(report.step)", text(report.loss), text(report.mse), text(report.variational),
      text(report.gradientNorm), String(format: "%.3f", seconds),
    ]
    rows.append(Row(step: report.step, loss: report.loss, line: fields.joined(separator: ",")))
  }

  /// Mean of the last losses.
  func recentLoss(_ count: Int = 100) -> Double {
    let last = rows.suffix(count)
    return last.isEmpty ? .nan : last.reduce(0) { $0 + $1.loss } / Double(last.count)
  }

  func write(to path: String) throws(DataError) {
    let file = try AtomicFile(path: path)
    let text = ([Self.header] + rows.map(\.line)).map { $0 + "\n" }.joined()
    try file.write(Array(text.utf8))
    try file.commit()
  }

  /// Loss against step: means of as many steps as fall on a point.
  func curve() throws(DataError) -> Image {
    let points = min(rows.count, 300)
    let means = (0..<points).map { point in
      let part = rows[point * rows.count / points..<(point + 1) * rows.count / points]
      return (
        Double(part.reduce(0) { $0 + $1.step }) / Double(part.count),
        part.reduce(0) { $0 + $1.loss } / Double(part.count)
      )
    }
    // It falls by two orders of magnitude, most of it in the first few hundred steps.
    return LinePlot(points: means, title: "loss", horizontalTitle: "step", isLogarithmic: true).image()
  }
}
