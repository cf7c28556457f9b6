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

  fileprivate static func settings<Settings: OptionTable>(_: Settings.Type) -> [Setting] {
    Settings.options.map { Setting(key: $0.key, values: $0.expected, help: $0.help) }
  }

  var text: String {
    Self.text(kinds.map { ("\($0.kind): \($0.summary)", $0.options + $0.selection) })
  }

  /// A block a kind, columns to the left.
  fileprivate static func text(_ blocks: [(title: String, settings: [Setting])]) -> String {
    blocks.map { block in
      let rows = block.settings.map { [$0.key, $0.values, $0.help] }
      let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
      let lines = rows.map { row in
        "  "
          + zip(row, widths).map { $0.padding(toLength: $1 + 2, withPad: " ", startingAt: 0) }.joined()
          + row[2]
      }
      return ([block.title] + lines).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }
}

/// The settings of every kind of model that can be trained, as `dseg pretrain -b key=value` takes them.
struct PretrainingList: Encodable {
  struct Kind: Encodable {
    var kind: String
    var summary: String
    var settings: [SettingsList.Setting]
  }

  var kinds: [Kind]

  init(_ registry: PretrainingRegistry) {
    kinds = registry.kinds.map { Self.kind($0) }
  }

  private static func kind<Settings: PretrainingSettings>(_: Settings.Type) -> Kind {
    Kind(
      kind: Settings.kind, summary: Settings.summary, settings: SettingsList.settings(Settings.self))
  }

  var text: String { SettingsList.text(kinds.map { ("\($0.kind): \($0.summary)", $0.settings) }) }
}
