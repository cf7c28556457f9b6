import Base
import DiffusionSegmentation
import Experiments
import Foundation
import PixelClassifier
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Small experiments: quick presets, three pictures.
struct ExperimentTests {
  let world: TinyWorld
  let output: ExperimentFolder

  init() throws {
    world = try TinyWorld()
    output = ExperimentFolder(world.folder.path("experiment"))
  }

  private func experiment(_ presets: [String] = ["init", "morphology", "final"], seeds: [UInt64] = [3, 4])
    throws
    -> Experiment
  {
    var experiment = Experiment(
      training: try world.labelled(), testSets: [try world.labelled()], features: try world.features(),
      presets: try presets.map { try .named($0) }, seeds: seeds)
    experiment.bootstrapDraws = 200
    return experiment
  }

  private func withoutTimes(_ report: ExperimentReport) -> ExperimentReport {
    var report = report
    report.seconds = 0
    for preset in report.presets.indices {
      report.presets[preset].trainingSeconds = 0
      report.presets[preset].peakBytes = nil
      for set in report.presets[preset].scores.indices {
        report.presets[preset].scores[set].secondsAPicture = 0
      }
    }
    return report
  }

  /// What it says of a preset and seed is what training and evaluating on their own say.
  @Test func scoresAreThoseOfTheSegmenters() throws {
    var experiment = try experiment()
    experiment.presets.append(try SegmenterPreset(variant: "twice=init,noises=2,epochs=1"))
    let report = try experiment.run(in: output)
    #expect(report.presets.map(\.id) == ["init", "morphology", "final", "twice"])
    #expect(report.testSets[0].pictures == 3)
    for preset in report.presets {
      for (seed, miou) in zip([3, 4] as [UInt64], preset.scores[0].miou.values) {
        var options = SegmenterOptions(seed: seed)
        let settings = experiment.presets.first { $0.id == preset.id }!
        settings.apply(to: &options)
        var prediction = settings.prediction
        prediction.seed = seed
        let segmenter = try Segmenter.train(
          on: world.labelled(), features: settings.features(world.features(noise: .shared(seed: seed))),
          options: options,
          prediction: prediction)
        #expect(try segmenter.evaluate(on: world.labelled()).confusion.meanIoU(.ledm) == miou, "\(preset.id)")
        // The segmenter in the folder is the same.
        let kept = try Segmenter(contentsOf: "\(output.path)/runs/seed-\(seed)/\(preset.id).safetensors")
        #expect(kept.ensemble.members[0].linear0.weight == segmenter.ensemble.members[0].linear0.weight)
        #expect(kept.prediction == prediction)
      }
    }
    #expect(report.presets[0].scores[0].difference == nil)
    // The curves end with the members that predict, here those of the first seed.
    let last = try #require(report.presets[0].curve.last)
    #expect(last.test[0] == report.presets[0].scores[0].miou.values[0] && last.epoch >= 5)
    #expect(last.training == last.test[0])
    #expect(report.presets.allSatisfy { $0.curveSeeds == 1 })
    #expect(!FileManager.default.fileExists(atPath: "\(output.path)/runs/seed-3/epochs"))
  }

  /// Curves are means over as many seeds as wanted, and nothing else depends on them.
  @Test func curvesOfSomeSeeds() throws {
    func report(_ seeds: [UInt64], _ curveSeeds: Int) throws -> ExperimentReport {
      var experiment = try experiment(["init"], seeds: seeds)
      experiment.curveSeeds = curveSeeds
      let folder = ExperimentFolder("\(output.path)-\(seeds.count)-\(curveSeeds)")
      let report = withoutTimes(try experiment.run(in: folder))
      #expect(report.presets[0].curveSeeds == curveSeeds)
      return report
    }
    func withoutCurves(_ report: ExperimentReport) -> ExperimentReport {
      var report = report
      report.presets[0].curve = []
      report.presets[0].curveSeeds = 0
      return report
    }
    let (none, one, both) = (try report([3, 4], 0), try report([3, 4], 1), try report([3, 4], 2))
    #expect(none.presets[0].curve.isEmpty)
    #expect(withoutCurves(one) == none && withoutCurves(both) == none)
    let points = [one, try report([4], 1), both].map { $0.presets[0].curve[0] }
    #expect(points[0] != points[1])
    #expect(abs((points[0].test[0] + points[1].test[0]) / 2 - points[2].test[0]) < 1e-12)
  }

  /// Stopped after any part, it goes on, and comes to the same figures.
  @Test func goesOnWhereItStopped() throws {
    let names = ["init", "init-11"]
    let whole = withoutTimes(try experiment(names).run(in: output))
    let trained = Mutex<[String]>([])
    func again() throws -> ExperimentReport {
      trained.withLock { $0 = [] }
      return withoutTimes(
        try experiment(names).run(in: output) { progress in
          if case .training(let seed, _, let preset, .training) = progress {
            trained.withLock { if $0.last != "\(preset) \(seed)" { $0.append("\(preset) \(seed)") } }
          }
        })
    }
    #expect(try again() == whole)
    #expect(trained.withLock { $0 }.isEmpty)
    try FileManager.default.removeItem(atPath: "\(output.path)/runs/seed-4/init-11.json")
    #expect(try again() == whole)
    #expect(trained.withLock { $0 } == ["init-11 4"])
    // More seeds are added to those there are.
    _ = try experiment(names, seeds: [3, 4, 5]).run(in: output) { progress in
      if case .training(let seed, _, _, .training) = progress { trained.withLock { $0 = ["\(seed)"] } }
    }
    #expect(trained.withLock { $0 } == ["5"])
  }

  /// The number of threads is told, and nothing else in the report depends on it.
  @Test func figuresDoNotDependOnThreads() throws {
    let reports = try withThreadCounts([1, 3]) {
      let folder = ExperimentFolder("\(output.path)-\(Threads.count)")
      var report = withoutTimes(try experiment(["init", "final"], seeds: [3]).run(in: folder))
      #expect(report.setup.threads == Threads.count)
      report.setup.threads = 0
      return report
    }
    #expect(reports[0] == reports[1])
  }

  /// Every training picture is labelled by a training on the others, as if these were all there are.
  @Test func foldsLeaveOutWhatTheyAreTestedOn() throws {
    var experiment = try experiment(["init", "augs"], seeds: [6])
    experiment.testSets = []
    experiment.folds = 2
    let report = try experiment.run(in: output)
    #expect(report.setup.folds == 2 && report.testSets.map(\.pictures) == [3])
    var pooled = ConfusionMatrix(classCount: 2, ignoreLabel: 255)
    let features = try world.features(noise: .shared(seed: 6))
    var pictures = [Double](repeating: .nan, count: 3)
    let folds = (0..<2).map { experiment.heldOut(seed: 6, fold: $0) }
    #expect(folds.map(\.count) == [2, 1] && Set(folds.joined()).count == 3)
    for (fold, held) in folds.enumerated() {
      let folder = try world.folder.folder("without-\(fold)")
      for kept in 0..<3 where !held.contains(kept) {
        for ending in ["png", "npy"] {
          try FileManager.default.copyItem(
            atPath: "\(world.images)/scene\(kept).\(ending)", toPath: "\(folder)/scene\(kept).\(ending)")
        }
      }
      let segmenter = try Segmenter.train(
        on: LabelledImages(directory: folder, classes: world.classes), features: features,
        options: SegmenterOptions(seed: 6))
      for picture in held {
        let item = try world.labelled().load(picture)
        var matrix = ConfusionMatrix(classCount: 2, ignoreLabel: 255)
        matrix.add(truth: item.mask.labels, prediction: try segmenter.segment(item.image).labels.labels)
        pooled += matrix
        pictures[picture] = matrix.meanIoUOfPresentClasses
      }
    }
    // Each picture has its own figures, whatever fold it was in.
    let table = try String(contentsOfFile: output.path + "/pictures.csv", encoding: .utf8)
    let rows = table.split(separator: "\r\n").dropFirst().map { $0.split(separator: ",") }
    #expect(rows.map { String($0[1]) } == ["scene0.png", "scene1.png", "scene2.png"])
    #expect(rows.map { Double($0[2])! } == pictures && Set(pictures).count > 1)
    // One seed: the difference is that of the means.
    let means = report.presets.map { $0.scores[0].miou.mean }
    #expect(abs(report.presets[1].scores[0].difference!.estimate - (means[1] - means[0])) < 1e-9)
    // The page has the worst first.
    let page = try String(contentsOfFile: output.pagePath, encoding: .utf8)
    let shown = (0..<3).map { index in
      page.components(separatedBy: "id=\"worst-\(index)-last\" data-value=\"").last!.prefix { $0 != "\"" }
    }
    #expect(shown.map { Double($0)! } == rows.map { Double($0[3])! }.sorted())
    #expect(report.presets[0].scores[0].miou.values == [pooled.meanIoU(.ledm)])
    #expect(
      report.presets[0].scores[0].confusion
        == (0..<2).map { t in (0..<2).map { pooled[truth: t, prediction: $0] } })
    #expect(report.presets[1].scores[0].miou != report.presets[0].scores[0].miou)
    // It goes on, and comes to the same.
    try FileManager.default.removeItem(atPath: "\(output.path)/runs/seed-6/fold-1/augs.json")
    let trained = Mutex<Set<String>>([])
    let again = try experiment.run(in: output) { progress in
      if case .training(_, let fold, let preset, .training) = progress {
        _ = trained.withLock { $0.insert("\(preset) \(fold!)") }
      }
    }
    #expect(withoutTimes(again) == withoutTimes(report) && trained.withLock { $0 } == ["augs 1"])
    #expect(FileManager.default.fileExists(atPath: output.pagePath))
    experiment.folds = 3
    let other = #expect(throws: DataError.self) { try experiment.run(in: output) }
    #expect(other?.item == "folds" && other?.kind == .cannotCreate)
  }

  /// A variant is kept apart from another of its name, also when it came later.
  @Test func variantsInAFolder() throws {
    var experiment = try experiment(["init"], seeds: [0])
    _ = try experiment.run(in: output)
    experiment.presets.append(try SegmenterPreset(variant: "own=init,epochs=2,models=2"))
    let report = try experiment.run(in: output)
    #expect(report.presets.map(\.id) == ["init", "own"] && report.presets[1].scores[0].difference != nil)
    experiment.presets[1] = try SegmenterPreset(variant: "own=init,epochs=1,models=2")
    let error = #expect(throws: DataError.self) { try experiment.run(in: output) }
    #expect(error?.item == "preset own" && error?.kind == .cannotCreate)
  }

  @Test func anotherExperimentIsRefused() throws {
    _ = try experiment(["init"], seeds: [0]).run(in: output)
    var other = try experiment(["init"], seeds: [0])
    other.batchSize = 32
    let error = #expect(throws: DataError.self) { try other.run(in: output) }
    #expect(error?.kind == .cannotCreate && error?.item == "batch size")
    other = try experiment(["init"], seeds: [0])
    other.testSets = [try LabelledImages(directory: world.images, classes: world.classes, limit: 2)]
    #expect(throws: DataError.self) { try other.run(in: output) }
    let record = "\(output.path)/runs/seed-0/init.json"
    try Data("{}".utf8).write(to: URL(fileURLWithPath: record))
    let damaged = #expect(throws: DataError.self) { try experiment(["init"], seeds: [0]).run(in: output) }
    #expect(damaged?.file == record && damaged?.isAboutContent == true)
  }

  /// Numbers that no run can have written, in a record that is read again.
  @Test(arguments: ["most", "negative", "epochs", "curve"])
  func damagedRecordsAreRefused(_ damage: String) throws {
    let experiment = try experiment(["init"], seeds: [0])
    _ = try experiment.run(in: output)
    let path = "\(output.path)/runs/seed-0/init.json"
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    var record = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    var training = try #require(record["training"] as? [String: Any])
    var sets = try #require(record["testSets"] as? [[String: Any]])
    var matrices = try #require(sets[0]["matrices"] as? [[Int]])
    var curve = try #require(record["curve"] as? [[String: Any]])
    switch damage {
    case "most": matrices[0][0] = .max
    case "negative": matrices[1][2] = -1
    case "epochs": training["epochs"] = 0
    default: curve[0]["test"] = [Double]()
    }
    sets[0]["matrices"] = matrices
    (record["training"], record["testSets"], record["curve"]) = (training, sets, curve)
    try JSONSerialization.data(withJSONObject: record).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: DataError.self) { try experiment.run(in: output) }
    #expect(error?.file == path && error?.isAboutContent == true)
  }

  @Test func settingsThatMakeNoSense() throws {
    for (presets, seeds) in [([], [0]), (["init", "init"], [0]), (["init"], []), (["init"], [1, 1])]
      as [([String], [UInt64])]
    {
      let error = #expect(throws: DataError.self) { try experiment(presets, seeds: seeds).run(in: output) }
      #expect(error?.kind == .invalidArgument)
    }
    var empty = try experiment()
    empty.testSets = []
    #expect(throws: DataError.self) { try empty.run(in: output) }
    for folds in [-1, 0, 1, 4] {
      empty.folds = folds
      let error = #expect(throws: DataError.self) { try empty.run(in: output) }
      #expect(error?.item == "folds" && error?.kind == .invalidArgument)
    }
    var both = try experiment()
    both.folds = 3
    #expect(#expect(throws: DataError.self) { try both.run(in: output) }?.item == "test sets")
  }

  /// The tables hold the figures of the report.
  @Test func tables() throws {
    let report = try experiment(["init", "morphology"]).run(in: output)
    func rows(_ name: String) throws -> [[String]] {
      try String(contentsOfFile: "\(output.path)/\(name).csv", encoding: .utf8).split(separator: "\r\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
    }
    let results = try rows("results")
    #expect(results[0] == ["preset", "test_set", "seed", "miou"] && results.count == 5)
    #expect(results[4] == ["morphology", "images", "4", "\(report.presets[1].scores[0].miou.values[1])"])
    let summary = try rows("summary")
    #expect(summary.count == 3 && summary[1][4...6] == ["", "", ""])
    #expect(Double(summary[2][4]) == report.presets[1].scores[0].difference?.estimate)
    #expect(try rows("classes").count == 5 && rows("pictures").count == 4)
    #expect(try rows("curves").count == 1 + report.presets.reduce(0) { $0 + $1.curve.count })
    let saved = try JSONDecoder().decode(
      ExperimentReport.self, from: Data(contentsOf: URL(fileURLWithPath: output.figuresPath)))
    #expect(saved == report)
  }
}
