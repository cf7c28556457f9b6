import Demo
import DiffusionSegmentation
import Experiments
import Foundation
import Images
import SyntheticScenes
import TestSupport
import Testing

/// What a demo shows: its page and its sheet.
struct DemoPageTests {
  let folder: DemoFolder
  let report: ExperimentReport
  let page: String
  private let home: TemporaryFolder

  init() throws {
    home = try TemporaryFolder()
    folder = DemoFolder(home.path("a <b> & c"))
    report = try Demo.small.run(writingTo: folder)
    page = try String(contentsOfFile: folder.pagePath, encoding: .utf8)
  }

  /// The page speaks of what it compares, and has all parts but curves.
  @Test func pageHasItsParts() {
    for part in ["settings", "results", "presets", "class-iou", "confusion", "worst", "commands"] {
      #expect(page.contains("<section id=\"\(part)\">"), "\(part)")
    }
    #expect(page.contains("<h1>Parts of a creature from 3 labelled pictures</h1>"))
    #expect(page.contains(">The ways</h2>") && !page.contains("he preset") && !page.contains(">preset<"))
    #expect(page.contains("--train \(DemoPageTests.escaped(folder.path))/train"))
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }

  @Test func namesOfFoldersAreEscaped() {
    #expect(page.contains("/a &lt;b&gt; &amp; c/test\n"))
    #expect(!page.contains("<b> &"))
  }

  @Test func sheetShowsTruthContendersAndUncertaintyInOrder() throws {
    let classes = SyntheticScenes.classes
    let training = (0..<3).map { SyntheticScenes(seed: 100).scene($0) }
    let test = (0..<2).map { SyntheticScenes(seed: 101).scene($0) }
    let segmenter = try Segmenter(contentsOf: folder.segmenterPath)
    let contenders =
      Contender.baselines + [Contender.diffusion(segmenter.features, prediction: segmenter.prediction)]
    let outcomes = try contenders.map {
      try $0.run(training: training, test: test, options: Demo.small.options)
    }
    var sheet = ContactSheet(
      columns: 6, columnTitles: ["scene", "truth"] + contenders.map(\.name) + ["uncertainty"], textScale: 1)
    for (index, scene) in test.enumerated() {
      let predictions = outcomes.map { $0.predictions[index] }
      let masks = [scene.mask] + predictions.map(\.labels)
      let uncertainty = Image(
        heatmap: predictions[2].uncertainty, width: 64, height: 64,
        range: 0...uncertaintyScale(members: 2, classes: classes.count))
      let pictures = [scene.image] + masks.map { Image(mask: $0, palette: classes.palette) } + [uncertainty]
      for picture in pictures { sheet.append(picture.magnified(2)) }
    }
    #expect(try Image(contentsOf: "\(folder.path)/sheet.png") == sheet.image())
  }
}
