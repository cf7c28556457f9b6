import DiffusionSegmentation
import Experiments
import PixelClassifier
import TensorCore
import TestSupport
import Testing

struct BootstrapTests {
  /// Random confusions of some pictures; `errors` of a hundred pixels are wrong.
  private func matrices(_ pictures: Int, errors: Int, seed: UInt64) -> [ConfusionMatrix] {
    (0..<pictures).map { picture in
      var random = Philox(seed: seed).split(UInt64(picture))
      var matrix = ConfusionMatrix(classCount: 3, ignoreLabel: 255)
      let truth = (0..<400).map { _ in UInt8(random.next() % 3) }
      matrix.add(
        truth: truth,
        prediction: truth.map { random.next() % 100 < UInt64(errors) ? UInt8(random.next() % 3) : $0 })
      return matrix
    }
  }

  @Test(arguments: IoUDefinition.allCases)
  func meanIsThatOfThePooledPictures(_ metric: IoUDefinition) {
    let matrices = matrices(7, errors: 20, seed: 1)
    let bootstrap = PairedBootstrap(metric: metric, ignoreLabel: 255)
    var pooled = matrices[0]
    for matrix in matrices.dropFirst() { pooled += matrix }
    let counts = PairedBootstrap.Counts([matrices], metric: metric)
    #expect(abs(bootstrap.meanIoU(counts) - pooled.meanIoU(metric)) < 1e-12)
    // Seeds are averaged, so that twice the same is the same.
    let twice = PairedBootstrap.Counts([matrices, matrices], metric: metric)
    #expect(abs(bootstrap.meanIoU(twice) - pooled.meanIoU(metric)) < 1e-12)
  }

  @Test func sameLabelsDoNotDiffer() {
    let counts = PairedBootstrap.Counts([matrices(5, errors: 30, seed: 2)], metric: .ledm)
    let interval = PairedBootstrap(metric: .ledm, ignoreLabel: 255, draws: 100).difference(
      of: counts, to: counts)
    #expect(interval.estimate == 0 && interval.low == 0 && interval.high == 0)
  }

  /// Clearly better and clearly worse lie on one side of 0, and pairing makes the interval narrow.
  @Test func intervals() {
    let bootstrap = PairedBootstrap(metric: .ledm, ignoreLabel: 255, draws: 2000)
    func counts(_ errors: Int) -> PairedBootstrap.Counts {
      PairedBootstrap.Counts([matrices(20, errors: errors, seed: 3)], metric: .ledm)
    }
    let better = bootstrap.difference(of: counts(10), to: counts(30))
    #expect(better.low > 0 && better.low < better.estimate && better.estimate < better.high)
    let worse = bootstrap.difference(of: counts(30), to: counts(10))
    #expect(abs(worse.estimate + better.estimate) < 1e-12 && worse.high < 0)
    let same = bootstrap.difference(
      of: PairedBootstrap.Counts([matrices(20, errors: 20, seed: 4)], metric: .ledm), to: counts(20))
    #expect(same.low < 0 && same.high > 0)
  }

  /// The interval is as wide as 1.96 standard errors on both sides, those of resampling by hand.
  @Test func intervalsHoldNineteenOfTwenty() {
    let (a, b) = (matrices(30, errors: 25, seed: 6), matrices(30, errors: 20, seed: 7))
    var random = Philox(seed: 8)
    let differences = (0..<600).map { _ -> Double in
      let drawn = a.map { _ in Int(random.next() % 30) }
      return drawn.map { b[$0] }.pooled.meanIoU(.ledm) - drawn.map { a[$0] }.pooled.meanIoU(.ledm)
    }
    let mean = differences.reduce(0, +) / 600
    let error = (differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 599).squareRoot()
    let interval = PairedBootstrap(metric: .ledm, ignoreLabel: 255).difference(
      of: .init([b], metric: .ledm), to: .init([a], metric: .ledm))
    for width in [interval.high - interval.estimate, interval.estimate - interval.low] {
      #expect(abs(width / (1.96 * error) - 1) < 0.2)
    }
  }

  @Test func theSameWithAnyNumberOfThreads() {
    let (a, b) = (
      PairedBootstrap.Counts([matrices(9, errors: 10, seed: 5)], metric: .standard),
      PairedBootstrap.Counts([matrices(9, errors: 15, seed: 5)], metric: .standard)
    )
    let results = withThreadCounts([1, 2, 3]) {
      PairedBootstrap(metric: .standard, ignoreLabel: 255, draws: 1000).difference(of: b, to: a)
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  /// The estimate is the difference of the means that stand beside it in a report, whatever the seeds have in common.
  @Test(arguments: IoUDefinition.allCases)
  func estimateIsTheDifferenceOfTheMeans(_ metric: IoUDefinition) {
    // Seeds that go wrong in different ways, for which the IoU of the averaged counts is another number.
    func seeds(_ errors: [Int]) -> [[ConfusionMatrix]] {
      errors.enumerated().map { matrices(6, errors: $1, seed: UInt64($0 + 10)) }
    }
    let (a, b) = (seeds([5, 60, 30]), seeds([80, 1, 20]))
    func mean(_ seeds: [[ConfusionMatrix]]) -> Double {
      seeds.reduce(0) { $0 + $1.pooled.meanIoU(metric) } / Double(seeds.count)
    }
    let interval = PairedBootstrap(metric: metric, ignoreLabel: 255, draws: 50).difference(
      of: .init(b, metric: metric), to: .init(a, metric: metric))
    #expect(abs(interval.estimate - (mean(b) - mean(a))) < 1e-12)
  }
}
