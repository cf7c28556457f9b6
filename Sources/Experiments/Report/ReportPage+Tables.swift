import DiffusionSegmentation
import Foundation

// The tables of results and of presets.
extension ReportPage {
  /// A line for each preset, grouped by test set.
  var results: Markup {
    let groups = report.testSets.indices.map { set -> Markup in
      let testSet = report.testSets[set]
      let lines = report.presets.indices.map { resultLine($0, set) }
      return """
        <tbody>
        <tr class="group"><th scope="rowgroup" colspan="6">\(testSet.name), \
        \(Figure.count(testSet.pictures, of: "picture"))</th></tr>
        \(lines.joined(separator: "\n"))
        </tbody>
        """
    }
    let spread =
      report.setup.seeds.count > 1
      ? "mean ± standard deviation over \(report.setup.seeds.count) seeds" : "one seed"
    return """
      <p>Mean IoU in percent: \(spread). The difference to \(first.id) is in percentage points, with its 95 %
      interval. It is in bold and called better or worse where the interval excludes 0. Training is the time of
      one training; it and the memory are the same for every test set.</p>
      \(Self.wide("Results", table(groups)))
      """
  }

  private func table(_ groups: [Markup]) -> Markup {
    """
    <table class="figures">
    <thead><tr><th scope="col">\(wording.noun)</th><th scope="col">mean IoU, %</th>
    <th scope="col">difference to \(first.id)</th><th scope="col">training, s</th>
    <th scope="col">a picture, s</th><th scope="col">peak memory</th></tr></thead>
    \(groups.joined(separator: "\n"))
    </table>
    """
  }

  private func resultLine(_ index: Int, _ set: Int) -> Markup {
    let preset = report.presets[index]
    let score = preset.scores[set]
    let place = "\(set)-\(index)"
    let isBest = report.presets.count > 1 && index == best(on: set)
    let mark: Markup = isBest ? " <small>best</small>" : ""
    let deviation: Markup =
      score.miou.values.count > 1 ? " <small>± \(Figure.percent(score.miou.deviation))</small>" : ""
    let memory: Markup =
      preset.peakBytes.map {
        "<td id=\"memory-\(place)\" data-value=\"\($0)\">\(Figure.memory(bytes: $0))</td>"
      }
      ?? "<td id=\"memory-\(place)\"><span class=\"quiet\">not measured</span></td>"
    return """
      <tr><th scope="row">\(preset.id)\(mark)</th>
      <td id="miou-\(place)" data-value="\("\(score.miou.mean)")">\(Figure.percent(score.miou.mean))\(deviation)</td>
      \(differenceCell(score.difference, index, place))
      <td id="training-\(place)" data-value="\("\(preset.trainingSeconds)")">\
      \(Figure.seconds(preset.trainingSeconds))</td>
      <td id="picture-\(place)" data-value="\("\(score.secondsAPicture)")">\
      \(Figure.seconds(score.secondsAPicture))</td>
      \(memory)</tr>
      """
  }

  private func differenceCell(_ interval: ExperimentReport.Interval?, _ index: Int, _ place: String) -> Markup
  {
    guard let interval else {
      let text = index == 0 ? "compared with" : Figure.missing
      return "<td id=\"difference-\(place)\"><span class=\"quiet\">\(text)</span></td>"
    }
    let estimate = Figure.points(interval.estimate)
    let range = "[\(Figure.points(interval.low)), \(Figure.points(interval.high))]"
    let verdict = interval.low > 0 ? "better" : "worse"
    let content: Markup =
      interval.excludesZero ? "<b>\(estimate) \(range) \(verdict)</b>" : "\(estimate) <small>\(range)</small>"
    return """
      <td id="difference-\(place)" data-value="\("\(interval.estimate)")" data-low="\("\(interval.low)")" \
      data-high="\("\(interval.high)")">\(content)</td>
      """
  }

  /// What the lines are apart from their models.
  var presetNoun: String { models.isEmpty ? wording.noun : "preset" }

  /// What the presets are, each once.
  var presetTable: Markup {
    let columns = SegmenterPreset.columns.dropFirst().prefix(max(first.settings.count - 1, 0))
    let head = ([presetNoun] + columns).map { name -> Markup in "<th scope=\"col\">\(name)</th>" }
    let presets = report.presets.filter { models.isEmpty || $0.backbone == first.backbone }
    let lines = presets.map { preset -> Markup in
      let cells = preset.settings.dropFirst().map { cell -> Markup in "<td>\(cell)</td>" }
      return """
        <tr><th scope="row"><span>\(preset.settings.first ?? preset.id)</span>
        <small>\(preset.summary)</small></th>\(cells.joined())</tr>
        """
    }
    return Self.wide("The \(presetNoun)s", Self.table("words", head: head, lines: lines))
  }

  /// A table of a class of the style sheet.
  static func table(_ kind: String, head: [Markup], lines: [Markup]) -> Markup {
    """
    <table class="\(kind)">
    <thead><tr>\(head.joined())</tr></thead>
    <tbody>
    \(lines.joined(separator: "\n"))
    </tbody>
    </table>
    """
  }
}
