import Demo
import DiffusionSegmentation
import Foundation
import SyntheticScenes
import Testing

/// Who may see whom: what keeps the pipeline from being written in one model's words again.
struct HouseTests {
  private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")

  private static func files(_ folder: String) throws -> [(path: String, text: String)] {
    let files = try #require(
      FileManager.default.enumerator(
        at: sources.appendingPathComponent(folder), includingPropertiesForKeys: nil))
    return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.map {
      (String($0.path.dropFirst(sources.path.count + 1)), try String(contentsOf: $0, encoding: .utf8))
    }
  }

  /// Diffusion models are trained and sampled by name; all else sees `any PixelFeatures`.
  private static let seesDiffusion: Set<String> = [
    "dseg/Options/NetworkOptions.swift", "dseg/Options/FeatureOptions.swift",
    "dseg/Options/PretrainOptions.swift", "dseg/Commands/Pretrain.swift", "dseg/Commands/Sample.swift",
    "dseg/Options/ArgumentTypes.swift",
  ]

  @Test(arguments: [
    "DiffusionSegmentation", "Experiments", "SyntheticScenes", "Demo", "dseg", "PixelClassifier", "Augment",
  ])
  func onlyShortFormsNameTheDiffusionModel(_ folder: String) throws {
    let files = try Self.files(folder)
    #expect(!files.isEmpty)
    for (path, text) in files where !Self.seesDiffusion.contains(path) {
      #expect(!text.contains("import DiffusionCore"), "\(path)")
    }
  }

  /// An arrow of the package never runs back up.
  @Test func importsPointDown() throws {
    let floors: [[String]] = [
      ["Base"], ["TensorCore"], ["Checkpoints", "Images"], ["Features", "Layers"],
      ["Training", "Augment", "PixelClassifier"], ["DiffusionCore", "Students"], ["Backbones"],
      ["DiffusionSegmentation"],
      ["SyntheticScenes", "Experiments"], ["Demo"], ["dseg"],
    ]
    for (floor, modules) in floors.enumerated() {
      let below = Set(floors[..<floor].joined())
      let known = Set(floors.joined())
      for module in modules {
        for (path, text) in try Self.files(module) {
          for line in text.split(separator: "\n") where line.contains("import ") {
            let words = line.split(separator: " ")
            guard words.first == "import" || words.first == "@_exported", let last = words.last else {
              continue
            }
            let name = String(last.split(separator: ".")[0])
            #expect(!known.contains(name) || below.contains(name), "\(path): \(line)")
          }
        }
      }
    }
  }

  /// No module hands on another whole module.
  @Test func nothingIsExportedWhole() throws {
    for (path, text) in try Self.files("") {
      for line in text.split(separator: "\n") where line.hasPrefix("@_exported") {
        #expect(line.split(separator: " ").count == 4, "\(path): \(line)")
      }
    }
  }

  /// Short forms of flags are named as their settings are.
  @Test(arguments: ["NetworkOptions", "FeatureOptions", "ClassifierOptions", "PredictionOptions"])
  func shortFormsHaveTheNamesOfTheirSettings(_ file: String) throws {
    let text = try #require(try Self.files("dseg/Options").first { $0.path.hasSuffix("/\(file).swift") }).text
    let shortForms = text.matches(of: /help: \.of\("([a-z-]+)", in: \w+\.self\)\)\s+var (\w+)/)
    #expect(shortForms.count >= 2)
    for form in shortForms {
      let words = form.1.split(separator: "-")
      let name =
        String(words[0]) + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
      #expect(name == form.2)
    }
  }
}
