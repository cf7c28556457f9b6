import DiffusionSegmentation
import Experiments
import Foundation
import TestSupport
import Testing

/// The page in a real browser, where there is one.
struct ReportBrowserTests {
  static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test(.enabled(if: browser != nil, "no Chromium"))
  func rendersWithoutComplaint() throws {
    let folder = try TemporaryFolder()
    let sample = ReportSample(presets: 3, sets: 2, classes: 5, seeds: 2)
    let path = folder.path("report.html")
    try ReportPage(report: sample.report, pictures: sample.pictures).write(to: path)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = [
      "60", Self.browser!, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
      "--user-data-dir=\(folder.path("profile"))", "--virtual-time-budget=2000", "--dump-dom",
      "file://\(path)",
    ]
    let (output, log) = (folder.path("dom.html"), folder.path("log.txt"))
    for file in ["dom.html", "log.txt"] { _ = try folder.file(file, []) }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let messages = try String(contentsOfFile: log, encoding: .utf8)
    #expect(!messages.contains("CONSOLE"), "\(messages)")
    // What the browser made of it holds the figures of the report.
    let dom = try String(contentsOfFile: output, encoding: .utf8)
    for (set, _) in sample.report.testSets.enumerated() {
      for (index, preset) in sample.report.presets.enumerated() {
        let mean = preset.scores[set].miou.mean
        let cell = try #require(dom.range(of: "id=\"miou-\(set)-\(index)\" data-value=\"\(mean)\">"))
        #expect(dom[cell.upperBound...].hasPrefix(String(format: "%.2f", mean * 100)))
      }
    }
  }
}
