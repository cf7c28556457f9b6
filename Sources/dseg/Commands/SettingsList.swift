import Backbones
import Features
import Foundation

/// The settings of every kind of pretrained model, as `-b key=value` takes them.
struct SettingsList: Encodable {
  struct Setting: Encodable {
    var key: String
    var values: String
    var help: String
  }

  struct Kind: Encodable {
    var kind: String
    var summary: String
    /// What the weights do not tell.
    var options: [Setting]
    /// Which activations are the features.
    var selection: [Setting]
  }

  var kinds: [Kind]

  init(_ registry: BackboneRegistry) {
    kinds = registry.kinds.map { Self.kind($0) }
  }

  private static func kind<Model: Backbone>(_: Model.Type) -> Kind {
    Kind(
      kind: Model.kind, summary: Model.summary, options: settings(Model.Options.self),
      selection: settings(Model.Selection.self))
  }

  private static func settings<Settings: OptionTable>(_: Settings.Type) -> [Setting] {
    Settings.options.map { Setting(key: $0.key, values: $0.expected, help: $0.help) }
  }

  /// A block a kind, columns to the left.
  var text: String {
    kinds.map { kind in
      let rows = (kind.options + kind.selection).map { [$0.key, $0.values, $0.help] }
      let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
      let lines = rows.map { row in
        "  "
          + zip(row, widths).map { $0.padding(toLength: $1 + 2, withPad: " ", startingAt: 0) }.joined()
          + row[2]
      }
      return (["\(kind.kind): \(kind.summary)"] + lines).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }
}
