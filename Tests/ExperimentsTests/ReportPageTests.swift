import DiffusionSegmentation
import Experiments
import Foundation
import Images
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct ReportPageTests {
  @Test(arguments: ReportSample.all)
  func figuresAreThoseOfTheReport(_ sample: ReportSample) throws {
    let report = sample.report
    let page = try PageElements(ReportPage(report: report, pictures: sample.pictures).html)
    for (set, _) in report.testSets.enumerated() {
      for (index, preset) in report.presets.enumerated() {
        let score = preset.scores[set]
        let place = "\(set)-\(index)"
        #expect(page.value("miou-\(place)") == score.miou.mean)
        #expect(page.text("miou-\(place)")?.hasPrefix(String(format: "%.2f", score.miou.mean * 100)) == true)
        #expect(page.text("miou-\(place)")?.contains("±") == (report.setup.seeds.count > 1))
        #expect(page.value("difference-\(place)") == score.difference?.estimate)
        #expect(
          page.attribute("difference-\(place)", "data-low").flatMap(Double.init) == score.difference?.low)
        #expect(
          page.attribute("difference-\(place)", "data-high").flatMap(Double.init) == score.difference?.high)
        let excludesZero = score.difference.map { $0.low > 0 || $0.high < 0 } ?? false
        let words = page.text("difference-\(place)") ?? ""
        #expect((words.contains("better") || words.contains("worse")) == excludesZero)
        #expect(page.value("training-\(place)") == preset.trainingSeconds)
        #expect(page.value("picture-\(place)") == score.secondsAPicture)
        #expect(page.value("memory-\(place)") == preset.peakBytes.map(Double.init))
      }
    }
    for (index, worst) in sample.pictures.worst.enumerated() {
      #expect(page.value("worst-\(index)-first") == worst.firstIoU)
      #expect(page.value("worst-\(index)-last") == worst.lastIoU)
    }
  }

  /// Well-formed, self-contained, and with words for every picture.
  @Test(arguments: ReportSample.all)
  func pageStandsOnItsOwn(_ sample: ReportSample) throws {
    let html = ReportPage(report: sample.report, pictures: sample.pictures).html
    let page = try PageElements(html)
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"))
    #expect(
      page.images.count == sample.pictures.worst.count * 6
        + sample.pictures.previews.reduce(0) { $0 + 1 + $1.copies.count })
    for image in page.images {
      #expect(image["alt"]?.isEmpty == false && image["src"]?.hasPrefix("data:image/png;base64,") == true)
    }
    #expect(page.charts.allSatisfy { $0["role"] == "img" && $0["aria-label"]?.isEmpty == false })
    #expect(Set(page.ids).count == page.ids.count)
    // Without the pictures it is small.
    let pictures = page.images.reduce(0) { $0 + ($1["src"]?.utf8.count ?? 0) }
    #expect(html.utf8.count - pictures < 400_000)
    #expect(ReportPage(report: sample.report, pictures: sample.pictures).html == html)
  }

  /// No name can break the page.
  @Test func namesAreEscaped() throws {
    var sample = ReportSample(presets: 2, sets: 1, classes: 3, seeds: 2)
    let name = "<b>\"a\" & 'b' > ü</b>\u{0}"
    sample.report.testSets[0].name = name
    sample.report.presets[1].id = name
    sample.report.classes[2].name = name
    sample.report.setup.model = name
    let html = ReportPage(report: sample.report, pictures: sample.pictures).html
    #expect(
      !html.contains("<b>\"a\"") && html.contains("&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39; &gt; ü&lt;/b&gt;")
    )
    _ = try PageElements(html)
  }

  /// Columns of the confusion are narrow: a name goes on after an underscore, and reads the same.
  @Test func namesBreakAfterUnderscores() throws {
    var sample = ReportSample(presets: 1, sets: 1, classes: 3, seeds: 1)
    sample.report.classes[1].name = "small_round_<cell>"
    let html = ReportPage(report: sample.report, pictures: sample.pictures).html
    #expect(html.contains("<span>small_<wbr/>round_<wbr/>&lt;cell&gt;</span>"))
    _ = try PageElements(html)
  }

  /// The sentence at the top says what the figures say, also when nothing helps.
  @Test func summary() throws {
    var sample = ReportSample(presets: 3, sets: 1, classes: 3, seeds: 2)
    func summary(_ means: [Double], _ intervals: [(Double, Double)]) throws -> String {
      for index in 0..<3 {
        sample.report.presets[index].scores[0].miou = ExperimentReport.Spread([means[index]])
        guard index > 0 else { continue }
        let (low, high) = intervals[index - 1]
        sample.report.presets[index].scores[0].difference?.estimate = means[index] - means[0]
        sample.report.presets[index].scores[0].difference?.low = low
        sample.report.presets[index].scores[0].difference?.high = high
      }
      return try #require(
        PageElements(ReportPage(report: sample.report, pictures: .init()).html).text("summary"))
    }
    let better = try summary([0.5, 0.6, 0.4], [(0.05, 0.15), (-0.2, -0.05)])
    #expect(better.contains("preset 1 is best with a mean IoU of 60.00 %"))
    #expect(better.contains("+10.00 points") && better.contains("The interval excludes 0."))
    #expect(better.contains("Worse than preset 0, with intervals below 0: preset 2."))
    #expect(try summary([0.5, 0.51, 0.4], [(-0.05, 0.15), (-0.2, 0.05)]).contains("this may be chance"))
    #expect(try summary([0.5, 0.4, 0.4], [(-0.2, 0.1), (-0.2, 0.1)]).contains("no other preset is better"))
  }

  /// Red where the last labels are wrong, grey where nobody knows, light elsewhere.
  @Test func pictureOfADifference() {
    let classes = ClassList(count: 2)
    let item = LabelledImage(
      path: "a/b.png", image: Image(width: 3, height: 1),
      mask: LabelMask(width: 3, height: 1, labels: [0, 1, 255])
    )
    let (first, last) = (
      LabelMask(width: 3, height: 1, labels: [1, 1, 1]), LabelMask(width: 3, height: 1, labels: [0, 0, 0])
    )
    let worst = ReportPictures.Worst(
      item, testSet: "t", classes: classes, first: (0.25, first), last: (0.5, last), uncertainty: [0, 0, 0],
      members: 3)
    #expect(
      [0, 1, 2].map { worst.difference[$0, 0] } == [RGB(240, 240, 240), RGB(200, 30, 30), RGB(150, 150, 150)])
    #expect(worst.first == Image(mask: first, palette: classes.palette) && worst.name == "b.png")
    #expect(worst.last == Image(mask: last, palette: classes.palette) && worst.lastIoU == 0.5)
    #expect(worst.truth == Image(mask: item.mask, palette: classes.palette) && worst.firstIoU == 0.25)
  }

  /// Cells of the tables as RFC 4180 has them.
  @Test func cellsWithCommasAndQuotes() throws {
    var report = ReportSample(presets: 2, sets: 1, classes: 2, seeds: 1).report
    report.classes[0].name = "a, \"b\""
    report.testSets[0].name = "plain"
    let table = try #require(report.tables.first { $0.name == "classes" }).text
    let value = report.presets[0].scores[0].classIoU[0]
    #expect(table.contains("\(report.presets[0].id),plain,\"a, \"\"b\"\"\",\(value)\r\n"))
  }
}
