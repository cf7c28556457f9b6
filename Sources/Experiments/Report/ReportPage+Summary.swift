import Base
import Foundation
import TensorCore

// The page's beginning: what was found, and how.
extension ReportPage {
  var title: String {
    if let title = wording.title { return title }
    return report.presets.count == 1
      ? "Label-efficient segmentation: the \(wording.noun) \(first.id)"
      : "Label-efficient segmentation: \(report.presets.count) \(wording.noun)s compared"
  }

  /// What was found on each test set, in words.
  var summary: Markup {
    let seeds = Figure.count(report.setup.seeds.count, of: "seed")
    let pictures = Figure.count(report.setup.trainingPictures, of: "labelled picture")
    let folds = report.setup.folds.map { ", which were left out in \($0) turns and tested on then" } ?? ""
    let who = models.isEmpty ? "Each \(wording.noun) was" : "The classifiers of each \(wording.noun) were"
    let start: Markup = "\(who) trained on \(pictures) with \(seeds)\(folds)."
    let introduction: [Markup] = wording.introduction.isEmpty ? [] : ["\(wording.introduction)"]
    return (introduction + [start] + report.testSets.indices.map(finding)).joined(separator: " ")
  }

  private func finding(on set: Int) -> Markup {
    let name = report.testSets[set].name
    let index = best(on: set)
    let (preset, score) = (report.presets[index], report.presets[index].scores[set])
    let miou = "\(Figure.percent(score.miou.mean)) %"
    guard report.presets.count > 1 else {
      return "On \(name), <b>\(preset.id)</b> has a mean IoU of \(miou)."
    }
    guard index > 0 else {
      return """
        On \(name), no other \(wording.noun) is better than the first, <b>\(first.id)</b>, with a mean IoU of \
        \(miou).\(harm(on: set))
        """
    }
    let begin: Markup = "On \(name), <b>\(preset.id)</b> is best with a mean IoU of \(miou)"
    guard let difference = score.difference else { return "\(begin).\(harm(on: set))" }
    let verdict =
      difference.excludesZero
      ? "The interval excludes 0." : "The interval contains 0: this may be chance."
    return """
      \(begin), a difference of \(Figure.points(difference.estimate)) points to \(first.id) (95 % interval \
      \(Figure.points(difference.low)) to \(Figure.points(difference.high))). \(verdict)\(harm(on: set))
      """
  }

  /// The presets that are worse than the first by more than chance explains.
  private func harm(on set: Int) -> Markup {
    let names = report.presets.filter { ($0.scores[set].difference?.high ?? 0) < 0 }.map(\.id)
    return names.isEmpty ? "" : " Worse than \(first.id), with intervals below 0: \(Figure.list(names))."
  }

  /// What the figures depend on.
  var settings: Markup {
    let setup = report.setup
    let scored = report.classes.filter(\.isScored).count
    let selection = (setup.selection ?? [:]).sorted { $0.key < $1.key }.map { key, value in
      (
        key.prefix(1).uppercased() + key.dropFirst().replacing("-", with: " "),
        value.replacing(",", with: ", ")
      )
    }
    let model: [(String, String)] =
      [("Model", setup.model), ("Kind of model", setup.kind ?? "")] + selection + [
        ("Features of a pixel", Figure.count(setup.features)),
        ("Picture size of the model", "\(setup.imageSize) × \(setup.imageSize) pixels"),
      ]
    let names = models.map(\.name).joined(separator: ", ")
    let what: [(String, String)] = models.isEmpty ? model : [("Models", names)]
    let entries: [(String, String)] =
      what + [
        ("Training pictures", Figure.count(setup.trainingPictures)),
        ("Cross-validation", setup.folds.map { "\($0) folds" } ?? "none"),
        (
          "Test pictures",
          report.testSets.map { "\($0.name): \(Figure.count($0.pictures))" }.joined(separator: ", ")
        ),
        ("Classes", "\(report.classes.count), of which \(scored) are scored"),
        ("Seeds", setup.seeds.map(String.init).joined(separator: ", ")),
        ("Metric", setup.metric),
        ("Threads", String(setup.threads)),
        ("Version", setup.version),
        ("Time of everything", Figure.duration(report.seconds)),
      ]
    let lines = entries.map { name, value -> Markup in
      "<div><dt>\(name)</dt><dd>\(value.isEmpty ? Figure.missing : value)</dd></div>"
    }
    return "<dl>\n\(lines.joined(separator: "\n"))\n</dl>"
  }
}
