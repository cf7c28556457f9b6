import Foundation

// The figures as bars and lines.
extension ReportPage {
  /// Bars for each test set.
  var classCharts: Markup {
    let charts = report.testSets.indices.map(classChart)
    let which: Markup =
      showsAll ? "every \(wording.noun)" : "the first, the last and the best \(wording.noun)"
    return """
      <p>In percent, mean over the seeds, with \(which).</p>
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      \(classTable)
      """
  }

  private func classChart(on set: Int) -> Markup {
    let name = report.testSets[set].name
    let shown = shownPresets(on: set)
    let groups = report.classes.indices.map { index in
      BarChart.Group(
        name: report.classes[index].name, isScored: report.classes[index].isScored,
        values: shown.map { report.presets[$0.index].scores[set].classIoU[index] })
    }
    let chart = BarChart(
      id: "bars-\(set)", title: "IoU of each class on \(name)",
      series: shown.map {
        BarChart.Series(
          name: report.presets[$0.index].id, role: $0.role, filling: showsAll ? "step\($0.index)" : nil)
      }, groups: groups)
    return figure(chart.markup, caption: name, label: chart.title)
  }

  /// More lines than these are not all shown as bars.
  private static let mostBars = 6

  /// Whether all lines have bars: those of a few models.
  private var showsAll: Bool { !models.isEmpty && report.presets.count <= Self.mostBars }

  /// The first, the last and the best preset, each once, with what they are; or all of them.
  func shownPresets(on set: Int) -> [(index: Int, role: BarChart.Role)] {
    let (last, best) = (report.presets.count - 1, best(on: set))
    if showsAll {
      return report.presets.indices.map { ($0, $0 == best ? .best : $0 == 0 ? .first : .other) }
    }
    var shown: [(index: Int, role: BarChart.Role)] = [(0, .first)]
    if last > 0 { shown.append((last, .last)) }
    if best != 0 && best != last { shown.append((best, .best)) }
    return shown
  }

  /// Lines for each test set; empty when there is no curve.
  var curveCharts: Markup {
    let recorded = report.presets.filter { !$0.curve.isEmpty }
    guard !recorded.isEmpty else { return "" }
    let charts = report.testSets.indices.map(curveChart)
    let silent = report.presets.filter(\.curve.isEmpty).map(\.id)
    let note: Markup = silent.isEmpty ? "" : " Nothing was recorded of \(Figure.list(silent))."
    let (fewest, most) = (recorded.map(\.curveSeeds).min()!, recorded.map(\.curveSeeds).max()!)
    let mean: Markup =
      most == 1
      ? "with one seed" : "mean over \(fewest == most ? "" : "\(fewest) to ")\(most) seeds"
    return """
      <p>Of the classifiers as they vote on pictures as they are, \(mean). Solid lines are the test
      pictures, dashed lines the training pictures.\(note)</p>
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      """
  }

  private func curveChart(on set: Int) -> Markup {
    let name = report.testSets[set].name
    let curves = report.presets.indices.filter { !report.presets[$0].curve.isEmpty }.map { index in
      LineChart.Curve(
        name: report.presets[index].id, style: index,
        points: report.presets[index].curve.map { ($0.epoch, $0.training, $0.test[set]) })
    }
    let chart = LineChart(id: "curves-\(set)", title: "Mean IoU on \(name) against epoch", curves: curves)
    return figure(chart.markup, caption: name, label: chart.title)
  }

  func figure(_ chart: Markup, caption: String, label: String) -> Markup {
    """
    <figure>
    <figcaption>\(caption)</figcaption>
    \(Self.wide(label, chart))
    </figure>
    """
  }
}
