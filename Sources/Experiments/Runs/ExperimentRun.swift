import DiffusionSegmentation
import TensorCore

/// One training set and what it is tested on: that of a seed, or one fold of it.
struct ExperimentRun: Hashable, Sendable {
  /// Folder of the model's runs below that of all runs; empty for that folder itself.
  var backboneFolder = ""
  let seed: UInt64
  /// From 0; nil without cross-validation.
  let fold: Int?

  /// Folder of its files, below that of all runs.
  var folder: String {
    (backboneFolder.isEmpty ? "" : "\(backboneFolder)/") + "seed-\(seed)" + (fold.map { "/fold-\($0)" } ?? "")
  }
}

extension Experiment {
  /// The runs of a seed of a leg.
  func runs(seed: UInt64) -> [ExperimentRun] {
    guard let folds else { return [ExperimentRun(backboneFolder: runFolder, seed: seed, fold: nil)] }
    return (0..<folds).map { ExperimentRun(backboneFolder: runFolder, seed: seed, fold: $0) }
  }

  /// Training pictures that a fold leaves out and is tested on, in ascending order. Each seed has folds of its own.
  func heldOut(_ run: ExperimentRun) -> [Int] { run.fold.map { heldOut(seed: run.seed, fold: $0) } ?? [] }

  package func heldOut(seed: UInt64, fold: Int) -> [Int] {
    guard let folds else { return [] }
    var order = (0..<Int32(training.count)).map { $0 }
    var random = Philox(seed: seed).split(.folds)
    random.shuffle(&order)
    return order.enumerated().filter { $0.offset % folds == fold }.map { Int($0.element) }.sorted()
  }

  /// Training pictures of a run.
  func trainingPictures(_ run: ExperimentRun) -> [Int] {
    let left = Set(heldOut(run))
    return (0..<training.count).filter { !left.contains($0) }
  }

  /// What a run is tested on: sets of pictures, and which of each.
  func tested(_ run: ExperimentRun) -> [(set: LabelledImages, pictures: [Int])] {
    run.fold == nil
      ? testSets.map { ($0, Array(0..<$0.count)) } : [(training, heldOut(run))]
  }

  /// Whether the segmenters of a run stay in the folder. Those of folds are of no use but for the report's pictures.
  func keepsSegmenters(_ run: ExperimentRun) -> Bool { run.fold == nil || run.seed == seeds[0] }

  /// Whether mean IoU is taken after every epoch of a run.
  func hasCurve(_ run: ExperimentRun) -> Bool { seeds.prefix(curveSeeds).contains(run.seed) }

  /// The sets that figures are given for.
  var reportedSets: [LabelledImages] { folds == nil ? testSets : [training] }
}
