import Backbones
import Features

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

  var text: String {
    kinds.map { kind in
      let rows = (kind.options + kind.selection).map { ["  \($0.key)", $0.values, $0.help] }
      return "\(kind.kind): \(kind.summary)\n" + Table(rows: rows).text
    }.joined(separator: "\n\n")
  }
}
