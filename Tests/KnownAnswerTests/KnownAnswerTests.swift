import Foundation
import Layers
import Testing

/// Every case of a folder of known answers, through the public and package API.
///
/// The folder is `Tests/Fixtures/golden`, or the one named by the environment variable `GOLDEN_DIR`, which may be a
/// folder of such folders.
struct KnownAnswerTests {
  /// An operation of a folder.
  struct Group: Sendable, CustomTestStringConvertible {
    var manifest: Manifest
    var operation: String
    var testDescription: String { "\(manifest.name): \(operation)" }

    static let all = Manifest.all.filter(\.isBuilt).flatMap { manifest in
      manifest.builtOperations.map { Group(manifest: manifest, operation: $0) }
    }
  }

  @Test(arguments: Group.all)
  func operation(_ group: Group) { check(group, precision: .reference) }

  /// Whatever a Winograd convolution can touch, within ten times the limits of what is compared by closeness;
  /// labels and all else that is exact must be the same.
  @Test(arguments: Group.all.filter { Operations.withConvolutions.contains($0.operation) })
  func operationWithFastConvolutions(_ group: Group) { check(group, precision: .fast) }

  /// What is not there yet of systems that are still to be built is named, not run.
  @Test func namesWhatIsNotBuilt() {
    for manifest in Manifest.all where !manifest.isBuilt {
      print("\(manifest.name): not built yet: \(manifest.cases.count) cases")
    }
    for manifest in Manifest.all where manifest.isBuilt {
      for operation in manifest.operations where !manifest.builtOperations.contains(operation) {
        #expect(Operations.table[operation] == nil, "\(operation) of \(manifest.name) is built")
        let cases = manifest.cases.filter { $0.op == operation }
        print("\(manifest.name): not built yet: \(operation): \(cases.count) cases")
      }
    }
  }

  private func check(_ group: Group, precision: ConvolutionPolicy.Precision) {
    let cases = group.manifest.cases.filter { $0.op == group.operation }
    var sum = FolderTally.Share(operation: group.operation)
    for var known in cases {
      known.precision = precision
      let report = Self.run(known)
      sum.add(report)
      for problem in report.problems {
        if known.isOptional {
          print("  optional \(known.id): \(problem)")
        } else {
          Issue.record("\(known.id): \(problem)")
        }
      }
    }
    let percent = String(format: "%.2f", sum.worst * 100)
    print(
      "known answers (\(precision)): \(group.operation): \(sum.cases) cases, \(sum.outputs) outputs, worst \(percent) % of the limit"
    )
    if precision == .reference, let line = FolderTally.shared.add(sum, of: group.manifest) { print(line) }
  }

  struct Report {
    var problems: [String] = []
    var outputs = 0
    var worst = 0.0
  }

  static func run(_ known: KnownCase) -> Report {
    let known = known.fresh
    var report = Report()
    guard let operation = Operations.table[known.op] else {
      report.problems.append("unknown operation \(known.op)")
      return report
    }
    var answers: [String: Answer] = [:]
    do {
      answers = try operation(known)
      report.problems += known.parameters.unasked.map { "parameter \($0) is not honoured" }
      report.problems += known.inputs.keys.filter { !known.read.holds($0) }.sorted().map {
        "input \($0) is not used"
      }
    } catch {
      report.problems.append("threw \(error)")
    }
    for (output, expectation) in known.outputs.sorted(by: { $0.key < $1.key }) {
      guard let answer = answers[output] else {
        report.problems.append("\(output): not computed")
        continue
      }
      do {
        let comparison = try Comparison(
          answer, to: known.precision == .fast ? expectation.widened : expectation, in: known.folder)
        report.outputs += 1
        report.worst = max(report.worst, comparison.usedFraction)
        if let problem = comparison.problem { report.problems.append("\(output): \(problem)") }
      } catch {
        report.problems.append("\(output): \(error)")
      }
    }
    return report
  }
}

extension Manifest {
  /// Systems whose building is still to come; their operations may have the names of others'.
  private static let notBuiltYet: Set = [
    "stylegan", "e4e", "alae", "vdvae", "sohl-dickstein", "semanticgan",
  ]

  /// Operations that are still to come of systems whose building has begun.
  private static let operationsNotBuiltYet: [String: Set<String>] = [
    "deeplabv3": ["deeplab_train_sgd"]
  ]

  /// Those that are run; an unknown one among them fails.
  var builtOperations: [String] {
    operations.filter { !(Self.operationsNotBuiltYet[name]?.contains($0) ?? false) }
  }

  var isBuilt: Bool { !Self.notBuiltYet.contains(name) }
}
