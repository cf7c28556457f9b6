import ArgumentParser
import Augment
import Base
import DiffusionSegmentation

/// How labels come from what the members say.
struct PredictionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Changed versions of a picture that are segmented too: none, report, report-code or flip. (default: the preset's, or as trained)",
      valueName: "name"))
  var testTime: String?
  @Option(help: "How versions are brought together: vote or mean (of probabilities). (default: vote)")
  var combine: TestTimeCombination?
  @Option(
    help: ArgumentHelp(
      "What is done to the labels in the end: \(PostProcessing.forms). (default: the preset's, or as trained)",
      valueName: "what"))
  var post: String?

  func apply(to settings: inout PredictionSettings) throws(DataError) {
    if let testTime {
      let names = ["none"] + TestTimeSet.allCases.map(\.rawValue)
      guard names.contains(testTime) else {
        throw DataError(
          .invalidArgument, file: "--test-time", expected: names.joined(separator: ", "), found: testTime)
      }
      settings.testTime = TestTimeSet(rawValue: testTime)
    }
    if let combine { settings.combination = combine }
    if let post { settings.postProcessing = try PostProcessing(post) }
  }
}

extension TestTimeCombination: ExpressibleByArgument {}
