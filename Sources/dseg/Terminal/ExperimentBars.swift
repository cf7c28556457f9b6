import DiffusionSegmentation
import Experiments
import Synchronization

/// A bar for each training and each evaluation of an experiment, one after the other.
final class ExperimentBars: Sendable {
  private enum Bar {
    case features(ProgressBar)
    case training(TrainingBar)
    case evaluation(ProgressBar)

    func finish() {
      switch self {
      case .features(let bar), .evaluation(let bar): bar.finish()
      case .training(let bar): bar.finish()
      }
    }
  }
  private let current = Mutex<(title: String, bar: Bar)?>(nil)
  /// Of several models, the one at work and a comma.
  private let model = Mutex("")
  /// Epochs of each preset.
  private let epochs: [String: Int]

  init(_ experiment: Experiment) {
    epochs = Dictionary(experiment.presets.map { ($0.id, $0.epochs) }) { first, _ in first }
  }

  func update(_ progress: Experiment.Progress) {
    switch progress {
    case .backbone(let name): model.withLock { $0 = "\(name), " }
    case .training(let seed, let fold, let preset, .features(let done, let count)):
      let title = "\(title(seed, fold)), \(preset), features"
      guard case .features(let bar) = bar(title, { .features(ProgressBar(title)) }) else { return }
      bar.update(Double(done) / Double(count), "\(done) of \(count) pictures")
    case .training(let seed, let fold, let preset, .training(let progress, let members)):
      let title = "\(title(seed, fold)), \(preset)"
      let epochs = epochs[preset] ?? 1
      guard
        case .training(let bar) = bar(
          title, { .training(TrainingBar(title, members: members, epochs: epochs)) })
      else { return }
      bar.update(progress)
    case .evaluation(let seed, let fold, let done, let count):
      let title = "\(title(seed, fold)), evaluation"
      guard case .evaluation(let bar) = bar(title, { .evaluation(ProgressBar(title)) }) else { return }
      bar.update(Double(done) / Double(count), "\(done) of \(count) pictures")
    }
  }

  private func title(_ seed: UInt64, _ fold: Int?) -> String {
    model.withLock(\.self) + "seed \(seed)" + (fold.map { ", fold \($0)" } ?? "")
  }

  func finish() { current.withLock { $0?.bar.finish() } }

  /// The bar of this title, or a new one in place of another's.
  private func bar(_ title: String, _ make: () -> Bar) -> Bar {
    current.withLock { current in
      if let current, current.title == title { return current.bar }
      current?.bar.finish()
      let bar = make()
      current = (title, bar)
      return bar
    }
  }
}
