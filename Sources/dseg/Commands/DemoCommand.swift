import ArgumentParser
import Demo
import DiffusionSegmentation
import Experiments
import Foundation
import Synchronization

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "See it all work on made-up pictures, with the diffusion model that comes along.",
    discussion: """
      Labels the parts of a made-up creature after training on 20 labelled scenes, beside two baselines that do \
      without a diffusion model, and writes the scenes, masks and a page to look at: report.html.

      Example:
        dseg demo --output dseg-demo
      """)

  @Option(help: "The folder to write to, a new one or that of an earlier demo.")
  var output = "dseg-demo"
  @Option(help: "Another diffusion model of such scenes, instead of the one that comes along.")
  var checkpoint: String?
  @OptionGroup var common: CommonOptions

  func run() throws {
    try common.apply()
    let folder = DemoFolder(output)
    if let checkpoint { try OutputGuard.check(outputs: [folder.modelPath], inputs: [checkpoint]) }
    var demo = Demo()
    demo.options.seed = common.seed ?? 0
    let bars = DemoBars(options: demo.options)
    let report = try demo.run(writingTo: folder, checkpoint: checkpoint) { bars.update($0) }
    if common.json {
      try Terminal.printJSON(report)
    } else {
      try Terminal.output(report.classTable + "\n\n\(folder.pagePath) shows it")
    }
  }
}

/// A bar for each contender, one after the other.
private final class DemoBars: Sendable {
  private let options: SegmenterOptions
  private let bar = Mutex<TrainingBar?>(nil)

  init(options: SegmenterOptions) { self.options = options }

  func update(_ progress: Demo.Progress) {
    switch progress {
    case .contender(let name, .features(let done, _)) where done == 1:
      finish()
      bar.withLock { $0 = TrainingBar(name, members: options.members, epochs: options.epochs) }
    case .contender(_, .features): break
    case .contender(_, .training(let progress, _)): bar.withLock { $0 }?.update(progress)
    case .writing: finish()
    }
  }

  private func finish() { bar.withLock { $0 }?.finish() }
}

extension ExperimentReport {
  /// IoU of each class on the first test set.
  fileprivate var classTable: String {
    func percent(_ share: Double) -> String { String(format: "%.1f", share * 100) }
    var rows = [["IoU %"] + presets.map(\.id)]
    for (index, entry) in classes.enumerated() {
      rows.append([entry.name] + presets.map { percent($0.scores[0].classIoU[index]) })
    }
    rows.append(["mean"] + presets.map { percent($0.scores[0].miou.mean) })
    return Table(rows: rows).text
  }
}
