import Foundation

// What a preset takes for what.
extension ReportPage {
  /// More classes than these are shown on demand.
  private static let mostOpenClasses = 20
  /// More classes than these have their names upright over the columns, and whole percentages.
  private static let mostLevelClasses = 8

  /// A table for each test set, of the last line; where models are compared, of the last line of each.
  var confusionTables: Markup {
    let seeds = report.setup.seeds.count > 1 ? ", summed over the seeds" : ""
    let reading: Markup = """
      A line is what is there, a column what it was taken for. Cells are percentages of the line's pixels; empty cells hold
      no pixel.
      """
    guard !models.isEmpty else {
      return """
        <p>The last \(wording.noun), \(last.id)\(seeds). \(reading)</p>
        \(tables(of: last))
        """
    }
    let parts = models.compactMap { model in report.presets.last { $0.backbone == model.name } }.map {
      preset -> Markup in
      let isOpen: Markup = preset.id == last.id ? " open=\"\"" : ""
      return """
        <details\(isOpen)><summary>\(preset.id)</summary>
        \(tables(of: preset))
        </details>
        """
    }
    return """
      <p>The last preset of each model\(seeds). \(reading)</p>
      \(parts.joined(separator: "\n"))
      """
  }

  private func tables(of preset: ExperimentReport.Preset) -> Markup {
    report.testSets.indices.map { confusion(of: preset, on: $0) }.joined(separator: "\n")
  }

  private func confusion(of preset: ExperimentReport.Preset, on set: Int) -> Markup {
    let counts = preset.scores[set].confusion
    // Lines of the results have the same numbers.
    let line = preset.id == last.id ? "" : "-\(report.presets.firstIndex { $0.id == preset.id }!)"
    let isUpright = report.classes.count > Self.mostLevelClasses
    let head = report.classes.map { entry -> Markup in
      "<th scope=\"col\"><span>\(Markup.breakable(entry.name))</span></th>"
    }
    let lines = counts.indices.map { confusionLine(counts[$0], truth: $0, digits: isUpright ? 0 : 1) }
    let table: Markup = """
      <table id="confusion-\(set)\(line)" class="confusion\(isUpright ? " upright" : "")">
      <thead><tr><th scope="col">\(report.testSets[set].name)</th>\(head.joined())\
      <th scope="col"><span>pixels</span></th></tr></thead>
      <tbody>
      \(lines.joined(separator: "\n"))
      </tbody>
      </table>
      """
    let title = "Confusion\(models.isEmpty ? "" : " of \(preset.id)") on \(report.testSets[set].name)"
    let box = Self.wide(title, table)
    guard report.classes.count > Self.mostOpenClasses else { return box }
    return """
      <details><summary>\(report.testSets[set].name): \(report.classes.count) × \(report.classes.count)
      classes</summary>
      \(box)
      </details>
      """
  }

  private func confusionLine(_ counts: [Int], truth: Int, digits: Int) -> Markup {
    let pixels = counts.reduce(0, +)
    let cells = counts.map { count -> Markup in
      guard count > 0 else { return "<td></td>" }
      let share = Double(count) / Double(pixels)
      let shade = Int((10 * share).rounded(.up))
      return "<td class=\"s\(shade)\">\(Figure.percent(share, digits: digits))</td>"
    }
    return """
      <tr><th scope="row">\(report.classes[truth].name)</th>\(cells.joined())\
      <td>\(Figure.count(pixels))</td></tr>
      """
  }
}
