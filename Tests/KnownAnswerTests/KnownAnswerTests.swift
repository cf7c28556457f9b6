import DiffusionCore
import Foundation
import Testing

/// Every case of a folder of known answers, through the public and package API.
///
/// The folder is `Tests/Fixtures/golden`, or the one named by the environment variable `GOLDEN_DIR`.
struct KnownAnswerTests {
  @Test(arguments: Manifest.shared.operations)
  func operation(_ name: String) { check(name, precision: .reference) }

  /// Whatever a Winograd convolution can touch, within ten times the limits of what is compared by closeness;
  /// labels and all else that is exact must be the same.
  @Test(arguments: Manifest.shared.operations.filter { Operations.withConvolutions.contains($0) })
  func operationWithFastConvolutions(_ name: String) { check(name, precision: .fast) }

  private func check(_ name: String, precision: ConvolutionPolicy.Precision) {
    var cases = Manifest.shared.cases.filter { $0.op == name }
    for index in cases.indices { cases[index].precision = precision }
    var (tensors, worst) = (0, 0.0)
    for known in cases {
      let report = Self.run(known)
      tensors += report.tensors
      worst = max(worst, report.worst)
      for problem in report.problems {
        if known.isOptional {
          print("  optional \(known.id): \(problem)")
        } else {
          Issue.record("\(known.id): \(problem)")
        }
      }
    }
    let percent = String(format: "%.2f", worst * 100)
    print(
      "known answers (\(precision)): \(name): \(cases.count) cases, \(tensors) tensors, worst \(percent) % of the limit"
    )
  }

  struct Report {
    var problems: [String] = []
    var tensors = 0
    var worst = 0.0
  }

  static func run(_ known: KnownCase) -> Report {
    var report = Report()
    var answers: [String: Answer] = [:]
    if let operation = Operations.table[known.op] {
      do {
        answers = try operation(known)
      } catch {
        report.problems.append("threw \(error)")
      }
    } else {
      report.problems.append("unknown operation \(known.op)")
    }
    for (output, expectation) in known.outputs.sorted(by: { $0.key < $1.key }) {
      guard let answer = answers[output] else {
        if Operations.table[known.op] != nil {
          report.problems.append("\(output): not computed")
        }
        continue
      }
      do {
        let comparison = try Comparison(
          answer, to: known.precision == .fast ? expectation.widened : expectation)
        if comparison.isTensor { report.tensors += 1 }
        report.worst = max(report.worst, comparison.usedFraction)
        if let problem = comparison.problem { report.problems.append("\(output): \(problem)") }
      } catch {
        report.problems.append("\(output): \(error)")
      }
    }
    return report
  }
}
