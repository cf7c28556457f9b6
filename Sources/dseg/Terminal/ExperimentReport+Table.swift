import Experiments
import Foundation

extension ExperimentReport {
  /// The report's tables: the models, where there are several; mean IoU by line and test set, with the difference to
  /// the first line; IoU of the classes.
  var table: String {
    let models = setup.backbones ?? []
    guard models.count > 1 else { return scoreTables }
    return [backboneTable(models), scoreTables, classTables].joined(separator: "\n\n")
  }

  private func backboneTable(_ models: [Backbone]) -> String {
    Table(
      rows: [["backbone", "kind", "features", "size", "SHA-256"]]
        + models.map {
          [$0.name, $0.kind, "\($0.features)", "\($0.imageSize)", String($0.checkpointSHA256.prefix(12))]
        }
    ).text
  }

  private var classTables: String {
    testSets.indices.map { index in
      let scored = classes.indices.filter { classes[$0].isScored }
      let rows = scored.map { label in
        [classes[label].name] + presets.map { percent($0.scores[index].classIoU[label]) }
      }
      return Table(rows: [["\(testSets[index].name), IoU %"] + presets.map(\.id)] + rows).text
    }.joined(separator: "\n\n")
  }

  private func percent(_ share: Double) -> String { String(format: "%.2f", share * 100) }

  private var scoreTables: String {
    func signed(_ share: Double) -> String { String(format: "%+.2f", share * 100) }
    let gigabyte = 1e9
    return testSets.indices.map { index in
      var rows = [
        [
          testSets[index].name, "mIoU %", "sd", "difference", "95 % interval", "training", "a picture",
          "memory",
        ]
      ]
      for preset in presets {
        let score = preset.scores[index]
        rows.append([
          preset.id, percent(score.miou.mean), percent(score.miou.deviation),
          score.difference.map { signed($0.estimate) } ?? "-",
          score.difference.map { "\(signed($0.low)) … \(signed($0.high))" } ?? "-",
          String(format: "%.1f s", preset.trainingSeconds),
          String(format: "%.0f ms", score.secondsAPicture * 1000),
          preset.peakBytes.map { String(format: "%.2f GB", Double($0) / gigabyte) } ?? "-",
        ])
      }
      return Table(rows: rows).text
    }.joined(separator: "\n\n")
  }
}
