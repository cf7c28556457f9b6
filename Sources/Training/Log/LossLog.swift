import Base
import Foundation
import Images

/// The losses of a training, a row a step, as CSV and as a curve.
public struct LossLog: Sendable {
  private struct Row {
    var step: Int
    var loss: Double
    var line: String
  }
  private var rows: [Row] = []
  /// Names of the parts of the loss.
  private let terms: [String]
  private var header: String {
    (["step", "loss"] + terms + ["gradient_norm", "seconds"]).joined(separator: ",")
  }

  /// - Parameter terms: names of the parts of the loss, a column each
  public init(terms: [String]) { self.terms = terms }

  /// What an earlier run has written, up to a step.
  public init(contentsOf path: String, upTo step: Int, terms: [String]) {
    self.init(terms: terms)
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count >= 2, let number = Int(fields[0]), number <= step, let loss = Double(fields[1])
      else { continue }
      rows.append(Row(step: number, loss: loss, line: String(line)))
    }
  }

  public mutating func append(_ report: TrainingReport, seconds: Double) {
    func text(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
    let fields =
      ["\(report.step)", text(report.loss)] + terms.map { text(report.terms[$0]) }
      + [text(report.gradientNorm), String(format: "%.3f", seconds)]
    rows.append(Row(step: report.step, loss: report.loss, line: fields.joined(separator: ",")))
  }

  /// Mean of the last losses; NaN before the first.
  public func recentLoss(_ count: Int = 100) -> Double {
    let last = rows.suffix(count)
    return last.isEmpty ? .nan : last.reduce(0) { $0 + $1.loss } / Double(last.count)
  }

  /// - Throws: `DataError` when the file cannot be written.
  public func write(to path: String) throws(DataError) {
    let file = try AtomicFile(path: path)
    let text = ([header] + rows.map(\.line)).map { $0 + "\n" }.joined()
    try file.write(Array(text.utf8))
    try file.commit()
  }

  /// Loss against step: means of as many steps as fall on a point.
  public func curve() throws(DataError) -> Image {
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
