import Foundation

// What there is to say where several pretrained models are compared.
extension ReportPage {
  /// The models; empty where there is one.
  var models: [ExperimentReport.Backbone] {
    let all = report.setup.backbones ?? []
    return all.count > 1 ? all : []
  }

  /// A line for each model: what it is, and which file.
  var backboneTable: Markup {
    guard !models.isEmpty else { return "" }
    let columns = [
      "backbone", "kind", "activations", "features of a pixel", "picture size", "checkpoint", "SHA-256",
    ]
    let head = columns.map { name -> Markup in "<th scope=\"col\">\(name)</th>" }
    let lines = models.enumerated().map { index, model -> Markup in
      let cells = [
        model.kind, Self.settings(model.selection), Figure.count(model.features),
        "\(model.imageSize) × \(model.imageSize)", model.model,
      ].map { cell -> Markup in "<td>\(cell)</td>" }
      let digests = model.checkpointSHA256.split(separator: "+").map { $0.prefix(12) + "…" }
      return """
        <tr id="backbone-\(index)" data-features="\(model.features)" data-size="\(model.imageSize)" \
        data-sha256="\(model.checkpointSHA256)"><th scope="row">\(model.name)</th>\(cells.joined())\
        <td title="\(model.checkpointSHA256)">\(digests.joined(separator: " "))</td></tr>
        """
    }
    return """
      <p>Each model sees the pictures at its own size, and labels are compared at that size.</p>
      \(Self.wide("The backbones", Self.table("words", head: head, lines: lines)))
      """
  }

  private static func settings(_ settings: [String: String]) -> String {
    settings.sorted { $0.key < $1.key }.map { key, value in
      "\(key.replacing("-", with: " ")) \(value.replacing(",", with: ", "))"
    }.joined(separator: "; ")
  }

  /// Bars of the mean IoU of every line, a chart for each test set; empty where there is one model.
  var meanCharts: Markup {
    guard !models.isEmpty else { return "" }
    let charts = report.testSets.indices.map { set -> Markup in
      let name = report.testSets[set].name
      let chart = BarChart(
        id: "means-\(set)", title: "Mean IoU on \(name)", series: [],
        groups: report.presets.map {
          BarChart.Group(name: $0.id, isScored: true, values: [$0.scores[set].miou.mean])
        })
      return figure(chart.markup, caption: name, label: chart.title)
    }
    return "<div class=\"charts\">\n\(charts.joined(separator: "\n"))\n</div>"
  }

  /// IoU of each class with every line, a table for each test set; empty where there is one model.
  var classTable: Markup {
    guard !models.isEmpty else { return "" }
    let head = report.presets.map { preset -> Markup in "<th scope=\"col\">\(preset.id)</th>" }
    return report.testSets.indices.map { set -> Markup in
      let lines = report.classes.indices.filter { report.classes[$0].isScored }.map { label -> Markup in
        let cells = report.presets.enumerated().map { index, preset -> Markup in
          let iou = preset.scores[set].classIoU[label]
          return """
            <td id="class-\(set)-\(label)-\(index)" data-value="\("\(iou)")">\(Figure.percent(iou))</td>
            """
        }
        return "<tr><th scope=\"row\">\(report.classes[label].name)</th>\(cells.joined())</tr>"
      }
      let name = report.testSets[set].name
      let title: Markup = "<th scope=\"col\">IoU on \(name), %</th>"
      return Self.wide(
        "IoU of each class on \(name)", Self.table("figures", head: [title] + head, lines: lines))
    }.joined(separator: "\n")
  }
}
