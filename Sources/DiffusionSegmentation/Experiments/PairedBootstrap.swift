import PixelClassifier
import TensorCore

/// Intervals of differences between two ways to label the same pictures.
///
/// Pictures are resampled with replacement, the counts of all that were drawn are pooled, and the metric is taken
/// again, for both ways on the same draw.
/// Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13 (percentile intervals).
package struct PairedBootstrap {
  /// Intersections and unions of every class for each picture, mean over the seeds.
  package struct Counts {
    var intersections: [[Double]]
    var unions: [[Double]]

    /// - Parameter matrices: one list of pictures for each seed
    package init(_ matrices: [[ConfusionMatrix]], metric: IoUDefinition) {
      let share = 1 / Double(matrices.count)
      func mean(_ values: (ConfusionMatrix) -> [Int]) -> [[Double]] {
        matrices[0].indices.map { picture in
          let lists = matrices.map { values($0[picture]) }
          return lists[0].indices.map { label in lists.reduce(0) { $0 + Double($1[label]) } * share }
        }
      }
      intersections = mean { $0.intersections(metric) }
      unions = mean { $0.unions(metric) }
    }
  }

  let metric: IoUDefinition
  let ignoreLabel: UInt8
  /// How often pictures are resampled.
  let draws: Int
  private let seed: UInt64 = 0

  package init(metric: IoUDefinition, ignoreLabel: UInt8, draws: Int = 10_000) {
    (self.metric, self.ignoreLabel, self.draws) = (metric, ignoreLabel, draws)
  }

  /// Mean IoU of the pictures drawn, each as often as it was.
  private func meanIoU(_ counts: Counts, times: [Double]) -> Double {
    let classes = counts.unions[0].indices
    var (sum, scored) = (0.0, 0)
    for label in classes where label != Int(ignoreLabel) {
      var (intersection, union) = (0.0, 0.0)
      for (picture, times) in times.enumerated() where times > 0 {
        intersection += counts.intersections[picture][label] * times
        union += counts.unions[picture][label] * times
      }
      switch metric {
      case .ledm:
        sum += intersection / (union + 1e-8)
        scored += 1
      case .standard where union > 0:
        sum += intersection / union
        scored += 1
      case .standard: break
      }
    }
    return scored == 0 ? 0 : sum / Double(scored)
  }

  /// Mean IoU of all pictures together.
  package func meanIoU(_ counts: Counts) -> Double {
    meanIoU(counts, times: [Double](repeating: 1, count: counts.unions.count))
  }

  /// Mean IoU of `other` less that of `first`, with the interval that holds 95 % of the draws.
  /// - Precondition: both have the same pictures and classes.
  package func difference(of other: Counts, to first: Counts) -> ExperimentReport.Interval {
    let pictures = first.unions.count
    precondition(
      other.unions.count == pictures && pictures > 0, "\(other.unions.count) and \(pictures) pictures")
    let differences = [Double](unsafeUninitializedCapacity: draws) { differences, filled in
      parallelFor(draws, inBlocksOf: 100) { block in
        for draw in block {
          var random = Philox(seed: seed).split(UInt64(draw))
          var times = [Double](repeating: 0, count: pictures)
          for _ in 0..<pictures {
            times[Int(random.next().multipliedFullWidth(by: UInt64(pictures)).high)] += 1
          }
          differences.initializeElement(
            at: draw, to: meanIoU(other, times: times) - meanIoU(first, times: times))
        }
      }
      filled = draws
    }
    let sorted = differences.sorted()
    func quantile(_ share: Double) -> Double { sorted[Int((Double(draws - 1) * share).rounded())] }
    return ExperimentReport.Interval(
      estimate: meanIoU(other) - meanIoU(first), low: quantile(0.025), high: quantile(0.975))
  }
}
