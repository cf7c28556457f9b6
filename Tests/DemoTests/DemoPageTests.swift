import Demo
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

/// What a demo shows: its page and its sheet.
struct DemoPageTests {
  let folder: DemoFolder
  let report: DemoReport
  let page: String
  private let home: TemporaryFolder

  init() throws {
    home = try TemporaryFolder()
    folder = DemoFolder(home.path("a <b> & c"))
    report = try Demo.small.run(writingTo: folder)
    page = try String(contentsOfFile: folder.pagePath, encoding: .utf8)
  }

  /// The cells of a row of the table.
  private func cells(_ title: String) throws -> [String] {
    let row = try #require(page.split(separator: "\n").first { $0.contains("\(title)</th><td>") })
    return row.components(separatedBy: "<td>").dropFirst().map { $0.components(separatedBy: "</td>")[0] }
  }

  @Test func everyFigureStandsInItsRow() throws {
    let results = report.contenders.map(\.result)
    func percent(_ shares: [Double?]) -> [String] {
      shares.map { $0.map { String(format: "%.1f", 100 * $0) } ?? "–" }
    }
    for (index, name) in SyntheticScenes.classes.names.enumerated() {
      #expect(try cells(" \(name)") == percent(results.map { $0.perClass[index].iou }), "\(name)")
    }
    #expect(try cells("mean") == percent(results.map(\.miou)))
    #expect(try cells("right pixels") == percent(results.map(\.pixelAccuracy)))
    #expect(try cells("training") == report.contenders.map { String(format: "%.1f s", $0.trainingSeconds) })
    #expect(try cells("2 tests") == results.map { String(format: "%.1f s", $0.seconds) })
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
    let contenders = [Contender.diffusion(segmenter.features)] + Contender.baselines
    let outcomes = try contenders.map {
      try $0.run(training: training, test: test, options: Demo.small.options)
    }
    var sheet = ContactSheet(
      columns: 6, columnTitles: ["scene", "truth"] + contenders.map(\.name) + ["uncertainty"], textScale: 1)
    for (index, scene) in test.enumerated() {
      let predictions = outcomes.map { $0.predictions[index] }
      let masks =
        [scene.mask] + predictions.map { LabelMask(width: $0.width, height: $0.height, labels: $0.labels) }
      let uncertainty = Image(
        heatmap: predictions[0].uncertainty, width: 64, height: 64,
        range: 0...uncertaintyScale(members: 2, classes: classes.count))
      let pictures = [scene.image] + masks.map { Image(mask: $0, palette: classes.palette) } + [uncertainty]
      for picture in pictures { sheet.append(picture.magnified(2)) }
    }
    #expect(try Image(contentsOf: "\(folder.path)/sheet.png") == sheet.image())
  }
}
