import Base
import Foundation
import Images

/// The page of an experiment: one file that needs no other, no network and no script.
///
/// Its cells carry ids and the unrounded figures in `data-value`, so that a program can read them too. The page is
/// also well-formed XML. The same report gives the same bytes.
public struct ReportPage: Sendable {
  /// What a page says beyond its figures.
  public struct Wording: Sendable {
    /// Nil for one that tells how much was compared.
    public var title: String?
    /// What it is about, before the findings.
    public var introduction: String
    /// What a line of the tables is.
    public var noun: String
    /// Commands to go on with.
    public var commands: String

    public init(
      title: String? = nil, introduction: String = "", noun: String = "preset", commands: String = ""
    ) {
      (self.title, self.introduction, self.noun, self.commands) = (title, introduction, noun, commands)
    }
  }

  let report: ExperimentReport
  let pictures: ReportPictures
  let wording: Wording

  /// - Precondition: there are presets, test sets and classes, and each preset has its figures for each of them.
  public init(report: ExperimentReport, pictures: ReportPictures, wording: Wording = Wording()) {
    let (sets, classes) = (report.testSets.count, report.classes.count)
    precondition(
      !report.presets.isEmpty && sets > 0 && classes > 0,
      "a report on \(report.presets.count) presets, \(sets) test sets and \(classes) classes")
    for preset in report.presets {
      precondition(
        preset.scores.count == sets && preset.curve.allSatisfy { $0.test.count == sets },
        "\(preset.id): \(preset.scores.count) scores for \(sets) test sets")
      for score in preset.scores {
        precondition(
          score.classIoU.count == classes && score.confusion.count == classes
            && score.confusion.allSatisfy { $0.count == classes },
          "\(preset.id): \(score.classIoU.count) figures for \(classes) classes")
      }
    }
    (self.report, self.pictures, self.wording) = (report, pictures, wording)
  }

  /// The page.
  public var html: String {
    let sections = sections.filter { !$0.content.text.isEmpty }
    let links = sections.map { section -> Markup in "<a href=\"#\(section.id)\">\(section.title)</a>" }
    let parts = sections.map { section -> Markup in
      """
      <section id="\(section.id)">
      <h2>\(section.title)</h2>
      \(section.content)
      </section>
      """
    }
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta http-equiv="Content-Security-Policy" \
      content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"/>
      <title>\(title)</title>
      <link rel="icon" href="data:,"/>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      <main>
      <h1>\(title)</h1>
      <p id="summary">\(summary)</p>
      <nav aria-label="Contents">\(links.joined(separator: "\n"))</nav>
      \(parts.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
    return page.text
  }

  /// Writes the page; the file is complete or not there.
  /// - Throws: `DataError` of kind `.cannotCreate` or `.writeFailed`.
  public func write(to path: String) throws(DataError) {
    try AtomicFile.write(Array(html.utf8), to: path)
  }

  /// The parts of the page in their order. Those without content are left out.
  private var sections: [(id: String, title: String, content: Markup)] {
    [
      ("settings", "Settings and versions", settings),
      ("results", "Results", results),
      ("means", "Mean IoU", meanCharts),
      ("backbones", "The backbones", backboneTable),
      ("presets", "The \(presetNoun)s", presetTable),
      ("class-iou", "IoU of each class", classCharts),
      ("confusion", "Confusion", confusionTables),
      ("curves", "Mean IoU against epoch", curveCharts),
      ("worst", "Worst pictures", worstPictures),
      (
        "training-set",
        pictures.previews.allSatisfy(\.copies.isEmpty)
          ? "Training pictures" : "Training pictures and changed copies", previews
      ),
      ("classes", "Classes", legend),
      ("commands", "Next steps", wording.commands.isEmpty ? "" : "<pre>\(wording.commands)</pre>"),
    ]
  }
}

extension ReportPage {
  var first: ExperimentReport.Preset { report.presets[0] }
  var last: ExperimentReport.Preset { report.presets[report.presets.count - 1] }

  /// Place of the preset with the highest mean IoU on a test set; the first of equals.
  func best(on set: Int) -> Int {
    var best = 0
    for index in report.presets.indices where mean(index, set) > mean(best, set) || mean(best, set).isNaN {
      best = index
    }
    return best
  }

  private func mean(_ preset: Int, _ set: Int) -> Double { report.presets[preset].scores[set].miou.mean }

  /// A box in which something wide scrolls sideways, also with the keyboard.
  static func wide(_ label: String, _ content: Markup) -> Markup {
    """
    <div class="wide" role="region" tabindex="0" aria-label="\(label)">
    \(content)
    </div>
    """
  }
}

extension ExperimentReport.Interval {
  /// Whether the interval lies on one side of 0.
  var excludesZero: Bool { low > 0 || high < 0 }
}
