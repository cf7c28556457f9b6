import Augment
import Base
import Features
import PixelClassifier

extension SegmenterPreset {
  /// The form that `init(variant:)` reads.
  public static let variantForm = "NAME=PRESET,SETTING=VALUE,…"

  /// A preset with some settings changed, as one would change them with the flags of `dseg train`: `steady=init,\
  /// epochs=2,schedule=cosine`.
  /// - Throws: `DataError` that names the setting when there is no such preset or setting, or a value is of no use.
  public init(variant text: String) throws(DataError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0]
    guard parts.count == 2, SegmenterPreset.isName(name) else {
      throw SegmenterPreset.refusal(
        text, "name", "\(SegmenterPreset.variantForm), the name of letters, digits, - and _", text)
    }
    if SegmenterPreset.all.contains(where: { $0.id == name }) {
      throw SegmenterPreset.refusal(text, "name", "one that no preset has", name)
    }
    let settings = parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    self = try .named(settings[0])
    summary = "a variant of \(id)"
    id = name
    for setting in settings.dropFirst() {
      let pair = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard pair.count == 2 else { throw SegmenterPreset.refusal(text, "setting", "SETTING=VALUE", setting) }
      try change(pair[0], to: pair[1], in: text)
    }
    try augmentation?.validate()
  }

  /// Names become those of files.
  private static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains($0))
      }
  }

  private static func refusal(_ text: String, _ item: String, _ expected: String, _ found: String)
    -> DataError
  {
    DataError(.invalidArgument, file: "variant \(text)", item: item, expected: expected, found: found)
  }

  private mutating func change(_ setting: String, to value: String, in text: String) throws(DataError) {
    do {
      try set(setting, to: value)
    } catch {
      throw SegmenterPreset.refusal(text, setting, error.expected, error.found)
    }
  }

  /// What `init(variant:)` can change.
  public static let variantSettings = options.map(\.key).joined(separator: ", ")
}
