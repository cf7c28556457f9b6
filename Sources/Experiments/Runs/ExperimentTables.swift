import Foundation
import PixelClassifier

extension ExperimentReport {
  /// The tables by their names.
  package var tables: [(name: String, text: String)] {
    [("results", resultTable), ("summary", summaryTable), ("classes", classTable), ("curves", curveTable)]
      + (hasBackbones ? [("backbones", backboneTable)] : [])
  }

  /// First cells of the lines: the model where there are several, and the preset.
  private var heads: [String] { hasBackbones ? ["backbone", "preset"] : ["preset"] }

  private func cells(_ line: Preset) -> [String] {
    hasBackbones ? [line.backbone ?? "", line.settings.first ?? ""] : [line.id]
  }

  private var hasBackbones: Bool { presets.contains { $0.backbone != nil } }

  /// One line a model: what it is, and which file.
  var backboneTable: String {
    commaSeparated(
      [["backbone", "kind", "features", "image_size", "checkpoint", "sha256"]]
        + (setup.backbones ?? []).map {
          [$0.name, $0.kind, "\($0.features)", "\($0.imageSize)", $0.model, $0.checkpointSHA256]
        })
  }

  /// The figures as comma-separated values: one line a preset, test set and seed.
  var resultTable: String {
    var lines = [heads + ["test_set", "seed", "miou"]]
    for preset in presets {
      for (set, score) in zip(testSets, preset.scores) {
        for (seed, value) in zip(setup.seeds, score.miou.values) {
          lines.append(cells(preset) + [set.name, "\(seed)", "\(value)"])
        }
      }
    }
    return commaSeparated(lines)
  }

  /// One line a preset and test set: spread, difference to the first preset, time and memory.
  var summaryTable: String {
    var lines = [
      heads + [
        "test_set", "miou", "sd", "difference", "low", "high", "training_seconds",
        "seconds_a_picture",
        "peak_bytes",
      ]
    ]
    for preset in presets {
      for (set, score) in zip(testSets, preset.scores) {
        let interval =
          score.difference.map { ["\($0.estimate)", "\($0.low)", "\($0.high)"] } ?? ["", "", ""]
        lines.append(
          cells(preset) + [set.name, "\(score.miou.mean)", "\(score.miou.deviation)"] + interval + [
            "\(preset.trainingSeconds)", "\(score.secondsAPicture)", preset.peakBytes.map { "\($0)" } ?? "",
          ])
      }
    }
    return commaSeparated(lines)
  }

  /// One line a preset, test set and class.
  var classTable: String {
    var lines = [heads + ["test_set", "class", "iou"]]
    for preset in presets {
      for (set, score) in zip(testSets, preset.scores) {
        for (entry, value) in zip(classes, score.classIoU) where entry.isScored {
          lines.append(cells(preset) + [set.name, entry.name, "\(value)"])
        }
      }
    }
    return commaSeparated(lines)
  }

  /// One line a preset and epoch.
  var curveTable: String {
    var lines = [heads + ["epoch", "training"] + testSets.map(\.name)]
    for preset in presets {
      for point in preset.curve {
        lines.append(cells(preset) + ["\(point.epoch)", "\(point.training)"] + point.test.map { "\($0)" })
      }
    }
    return commaSeparated(lines)
  }
}

/// Rows of cells as RFC 4180 has them.
func commaSeparated(_ rows: [[String]]) -> String {
  rows.map { row in
    row.map { cell in
      cell.contains { ",\"\n\r".contains($0) }
        ? "\"\(cell.replacingOccurrences(of: "\"", with: "\"\""))\"" : cell
    }.joined(separator: ",") + "\r\n"
  }.joined()
}
