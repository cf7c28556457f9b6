import PixelClassifier
import TensorCore

/// Intervals of differences between two ways to label the same pictures.
///
/// The statistic is that of a report's means: the counts of all pictures of a seed are pooled, the metric is taken, and
/// its mean over the seeds. Pictures are resampled with replacement, the same for both ways and all seeds.
/// Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13 (percentile intervals).
package struct PairedBootstrap {
  /// Intersections and unions of every class, for each seed and picture.
  package struct Counts {
    let seeds: Int
    let pictures: Int
    let classes: Int
    /// `[seeds, pictures, classes]`
    fileprivate let intersections: [Double]
    fileprivate let unions: [Double]

    /// - Parameter matrices: one list of the same pictures for each seed
    /// - Precondition: there is at least one of each, and all lists are of one length.
    package init(_ matrices: [[ConfusionMatrix]], metric: IoUDefinition) {
      (seeds, pictures) = (matrices.count, matrices.first?.count ?? 0)
      precondition(
        seeds > 0 && pictures > 0 && matrices.allSatisfy { $0.count == matrices[0].count },
        "counts of \(matrices.map(\.count)) pictures")
      classes = matrices[0][0].intersections(metric).count
      intersections = matrices.flatMap { $0.flatMap { $0.intersections(metric).map(Double.init) } }
      unions = matrices.flatMap { $0.flatMap { $0.unions(metric).map(Double.init) } }
    }
  }

  let metric: IoUDefinition
  let ignoreLabel: UInt8
  /// How often pictures are resampled.
  let draws: Int
  private let seed: UInt64 = 0

  /// - Precondition: at least one draw.
  package init(metric: IoUDefinition, ignoreLabel: UInt8, draws: Int = 10_000) {
    precondition(draws > 0, "a bootstrap of \(draws) draws")
    (self.metric, self.ignoreLabel, self.draws) = (metric, ignoreLabel, draws)
  }

  /// Mean over the seeds of the mean IoU of the pictures drawn, each counted as often as it was.
  private func meanIoU(_ counts: Counts, times: [Double]) -> Double {
    var mean = 0.0
    for seed in 0..<counts.seeds {
      let first = seed * counts.pictures * counts.classes
      var (sum, scored) = (0.0, 0)
      for label in 0..<counts.classes where label != Int(ignoreLabel) {
        var (intersection, union) = (0.0, 0.0)
        var place = first + label
        for times in times {
          intersection += counts.intersections[place] * times
          union += counts.unions[place] * times
          place += counts.classes
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
      mean += scored == 0 ? 0 : sum / Double(scored) / Double(counts.seeds)
    }
    return mean
  }

  /// Mean over the seeds of the mean IoU of all pictures together.
  package func meanIoU(_ counts: Counts) -> Double {
    meanIoU(counts, times: [Double](repeating: 1, count: counts.pictures))
  }

  /// Mean IoU of `other` less that of `first`, with the interval that holds 95 % of the draws.
  /// - Precondition: both have the same pictures and classes.
  package func difference(of other: Counts, to first: Counts) -> ExperimentReport.Interval {
    let pictures = first.pictures
    precondition(
      other.pictures == pictures && other.classes == first.classes,
      "\(other.pictures) pictures of \(other.classes) classes and \(pictures) of \(first.classes)")
    let differences = [Double](unsafeUninitializedCapacity: draws) { differences, filled in
      parallelFor(draws, inBlocksOf: 100) { block in
        for draw in block {
          var random = Philox(seed: seed).split(UInt64(draw))
          var times = [Double](repeating: 0, count: pictures)
          for _ in 0..<pictures { times[random.integer(below: pictures)] += 1 }
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
