import DiffusionSegmentation
import Foundation

extension LabelCensus {
  /// Pixels by class: in the masks, at the model's resolution, and those that are trained on.
  var table: String {
    var rows = [["class", "pixels", "share", "pictures", "resized", "used"]]
    func share(_ count: Int) -> String {
      pixels > 0 ? String(format: "%.2f %%", 100 * Double(count) / Double(pixels)) : "-"
    }
    for entry in classes {
      rows.append([
        entry.name, "\(entry.pixels)", share(entry.pixels), "\(entry.pictures)", "\(entry.resized)",
        "\(entry.used)",
      ])
    }
    rows.append([
      "ignored (\(ignoreLabel))", "\(ignored)", share(ignored), "", "\(resized - labelledAfterResize)", "",
    ])
    return Table(rows: rows).text
  }
}
