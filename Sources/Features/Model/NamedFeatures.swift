import Base
import Foundation

/// Features under a name, where those of several models stand beside each other.
public struct NamedFeatures: Sendable {
  /// Letters, digits, `-` and `_`.
  public var name: String
  public var features: any PixelFeatures

  public init(_ name: String, _ features: any PixelFeatures) {
    self.name = name
    self.features = features
  }

  /// Whether a name can stand in a table, in the name of a folder and before a setting.
  public static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64 && text.unicodeScalars.allSatisfy(isNameScalar)
  }

  private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains(scalar))
  }

  /// A name for each of some models.
  ///
  /// One that was not given is the name of the file without its ending; where others have that name too, the kind of
  /// the model stands before it, and then a number behind it.
  /// - Parameter models: name, if one was given; kind; path of the checkpoint
  /// - Throws: `DataError` of kind `.invalidArgument` for a given name with other characters, or one that two have.
  public static func names(
    _ models: [(given: String?, kind: String, path: String)]
  ) throws(DataError) -> [String] {
    var taken: Set<String> = []
    for name in models.compactMap(\.given) {
      guard isName(name) else {
        throw DataError(
          .invalidArgument, file: "name of a checkpoint", expected: "1 to 64 letters, digits, - and _",
          found: name)
      }
      guard taken.insert(name).inserted else {
        throw DataError(
          .invalidArgument, file: "name of a checkpoint", expected: "each once", found: "\(name) twice")
      }
    }
    let stems = models.map { stem($0.path, kind: $0.kind) }
    var names: [String] = []
    for (index, model) in models.enumerated() {
      if let given = model.given {
        names.append(given)
        continue
      }
      let isAlone = stems.indices.allSatisfy {
        $0 == index || models[$0].given != nil || stems[$0] != stems[index]
      }
      let start = isAlone && !taken.contains(stems[index]) ? stems[index] : "\(model.kind)-\(stems[index])"
      var (name, number) = (String(start.prefix(64)), 2)
      while taken.contains(name) {
        name = "\(start.prefix(60))-\(number)"
        number += 1
      }
      taken.insert(name)
      names.append(name)
    }
    return names
  }

  /// The file's name without its ending, as far as it can be a name.
  private static func stem(_ path: String, kind: String) -> String {
    let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    let name = String(
      String.UnicodeScalarView(stem.unicodeScalars.prefix(64).map { isNameScalar($0) ? $0 : "-" }))
    return name.contains { $0 != "-" } ? name : kind
  }
}
