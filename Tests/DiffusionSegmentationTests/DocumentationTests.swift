import Foundation
import Testing

/// That the documentation says what is there: its code compiles, and its catalogues leave no name out.
struct DocumentationTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Files below a folder of the package, with paths from its root.
  private static func files(_ folder: String, _ ending: String) throws -> [(path: String, text: String)] {
    let files = try #require(
      FileManager.default.enumerator(
        at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil))
    return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == ending }.map {
      (String($0.path.dropFirst(root.path.count + 1)), try String(contentsOf: $0, encoding: .utf8))
    }
  }

  private static func file(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  private static func lines(_ text: some StringProtocol) -> [String] {
    text.components(separatedBy: "\n")
  }

  /// Whether the lines of a block stand in a file one after the other, all moved to the right by the same amount.
  private static func stands(_ block: [String], in file: [String]) -> Bool {
    guard let first = block.first, file.count >= block.count else { return false }
    return (0...file.count - block.count).contains { start in
      guard file[start].hasSuffix(first) else { return false }
      let margin = file[start].dropLast(first.count)
      return margin.allSatisfy { $0 == " " }
        && zip(block, file[start...]).allSatisfy { $1 == ($0.isEmpty ? "" : margin + $0) }
    }
  }

  /// What is marked as Swift in the README and in the articles is compiled: by the package of examples, or as a test.
  @Test func codeStandsInCompiledExamples() throws {
    let compiled = try
      (Self.files("Examples/Sources", "swift")
      + Self.files("Tests/DiffusionSegmentationTests/ToyBackbone", "swift")).map { Self.lines($0.text) }
    let pages = try [(path: "README.md", text: Self.file("README.md"))] + Self.files("Sources", "md")
    var pagesWithCode: Set<String> = []
    for (path, text) in pages {
      for match in text.matches(of: /(?ms)^```swift\n(.*?)\n```$/) {
        pagesWithCode.insert(String(path.split(separator: "/").last!))
        let block = Self.lines(match.1)
        #expect(compiled.contains { Self.stands(block, in: $0) }, "\(path):\n\(match.1)")
      }
    }
    #expect(pagesWithCode == ["README.md", "GettingStarted.md", "LongWork.md", "AddingABackbone.md"])
  }

  private static func libraries() throws -> [String] {
    try file("Package.swift").matches(of: /\.library\(name: "(\w+)"/).map { String($0.1) }
  }

  /// What a library's catalogue lists: names without arguments, and paths to names of other libraries.
  private static func entries(_ library: String) throws -> Set<String> {
    let page = try file("Sources/\(library)/\(library).docc/\(library).md")
    return Set(
      page.matches(of: /(?m)^- ``([^`(]+)/).map { entry in
        entry.1.hasPrefix("/") ? String(entry.1) : String(entry.1.split(separator: "/").last!)
      })
  }

  @Test func everyPublicNameIsInTheCatalogue() throws {
    let libraries = try Self.libraries()
    #expect(libraries.count >= 15)
    let kinds: Set = ["struct", "class", "enum", "protocol", "actor", "func", "typealias", "let", "var"]
    let declaration = /^(?:@\w+ )*public (?:final |indirect )*(\w+) (\w+)/
    for library in libraries {
      let entries = try Self.entries(library)
      var names: Set<String> = []
      for (path, text) in try Self.files("Sources/\(library)", "swift") {
        for match in Self.lines(text).compactMap({ $0.firstMatch(of: declaration) })
        where kinds.contains(String(match.1)) {
          let name = String(match.2)
          names.insert(name)
          #expect(entries.contains(name), "\(library).md lacks \(name) of \(path)")
        }
      }
      #expect(!names.isEmpty, "\(library)")
    }
  }

  @Test func whatIsBroughtAlongIsInTheCatalogue() throws {
    let entries = try Self.entries("DiffusionSegmentation")
    let exports = try Self.file("Sources/DiffusionSegmentation/Exports.swift")
    let names = exports.matches(of: /(?m)^@_exported import \w+ (\w+)\.(\w+)$/).map { "/\($0.1)/\($0.2)" }
    #expect(names.count >= 20)
    for name in names { #expect(entries.contains(name), "\(name)") }
  }
}
