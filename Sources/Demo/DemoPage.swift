import DiffusionSegmentation
import Foundation

/// A demo's page: one file that needs no other and no network.
struct DemoPage {
  let report: DemoReport
  /// The sheet as PNG.
  let sheet: [UInt8]
  let folder: DemoFolder

  var html: String {
    let first = report.contenders[0]
    let sheetRows = min(report.testScenes, 8)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>dseg demo</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <main>
      <h1>Parts of a creature from \(report.trainingScenes) labelled pictures</h1>
      <p>A diffusion model has seen thousands of made-up scenes without labels. \(Self.number(report.members)) small
      classifiers learn eight classes from the labels of \(report.trainingScenes) other scenes, once from what the
      model says about each pixel and twice from what can be computed without it. The table shows how well they do on
      \(report.testScenes) scenes that neither the model nor the classifiers have seen.</p>
      <h2>Intersection over union, %</h2>
      <div class="wide">
      \(table)
      </div>
      <ul>
      \(report.contenders.map { "<li><b>\(Self.escaped($0.name))</b>: \(Self.escaped($0.summary)).</li>" }
        .joined(separator: "\n"))
      </ul>
      <p>Pooled over all test pixels, as in ddpm-segmentation. \(Self.seconds(report.seconds)) in all.</p>
      <h2>Test scenes</h2>
      <p class="legend">\(legend)</p>
      <div class="wide">
      <img src="data:image/png;base64,\(Data(sheet).base64EncodedString())"
        alt="\(sheetRows) test scenes in rows: the scene, its true labels, the labels of the three contenders, and \
      where the classifiers on diffusion features disagree">
      </div>
      <p>Bright uncertainty is where the classifiers on \(Self.escaped(first.name)) disagree.</p>
      <h2>To go on</h2>
      <pre>\(Self.escaped(commands))</pre>
      </main>
      </body>
      </html>

      """
  }

  private var table: String {
    let rows = report.contenders
    var lines = [
      "<table>", "<tr><th>class</th>" + rows.map { "<th>\(Self.escaped($0.name))</th>" }.joined() + "</tr>",
    ]
    for (index, name) in SyntheticScenes.classes.names.enumerated() {
      let cells = rows.map { "<td>\(Self.percent($0.result.perClass[index].iou))</td>" }.joined()
      lines.append("<tr><th scope=\"row\">\(swatch(index)) \(name)</th>\(cells)</tr>")
    }
    func line(_ title: String, _ value: (DemoReport.Row) -> String, style: String = "") -> String {
      let cells = rows.map { "<td>\(value($0))</td>" }.joined()
      return "<tr\(style)><th scope=\"row\">\(title)</th>\(cells)</tr>"
    }
    lines.append(line("mean", { Self.percent($0.result.miou) }, style: " class=\"sum\""))
    lines.append(line("right pixels", { Self.percent($0.result.pixelAccuracy) }))
    lines.append(line("training", { Self.seconds($0.trainingSeconds) }))
    lines.append(line("\(report.testScenes) tests", { Self.seconds($0.result.seconds) }))
    lines.append("</table>")
    return lines.joined(separator: "\n")
  }

  private var legend: String {
    SyntheticScenes.classes.names.indices.map {
      "<span>\(swatch($0)) \(SyntheticScenes.classes.names[$0])</span>"
    }.joined(separator: " ")
  }

  private func swatch(_ label: Int) -> String {
    "<i style=\"background:\(SyntheticScenes.classes.palette[UInt8(label)])\"></i>"
  }

  private var commands: String {
    let folder = folder.path
    return """
      dseg predict --segmenter \(folder)/segmenter.safetensors --output labelled \(folder)/test
      dseg sample --checkpoint \(folder)/model.safetensors --count 64 --output samples.png
      dseg train --checkpoint \(folder)/model.safetensors --images \(folder)/train --classes \(folder)/classes.json \\
        --steps 50,150,250 --blocks 2,3,4,5,6,7,8 --output other.safetensors
      dseg evaluate --segmenter other.safetensors --images \(folder)/test
      """
  }

  private static let style = """
    :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; }
    th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid #8884; font-weight: normal; }
    th:first-child { text-align: left; white-space: nowrap; }
    @media (max-width: 30rem) { table { font-size: .85rem; } th, td { padding: .2rem .3rem; } }
    .sum * { font-weight: bold; }
    i { display: inline-block; width: .8em; height: .8em; border: 1px solid #8888; vertical-align: -.05em; }
    .legend span { margin-right: 1em; white-space: nowrap; }
    img { image-rendering: pixelated; }
    pre { overflow-x: auto; padding: .75rem; background: #8882; }
    """

  private static func percent(_ share: Double?) -> String {
    share.map { String(format: "%.1f", 100 * $0) } ?? "–"
  }

  private static func seconds(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }

  private static func number(_ count: Int) -> String { count == 10 ? "Ten" : "\(count)" }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}
