import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Experiments
import Features
import Foundation
import PixelClassifier
import Synchronization
import TestSupport
import Testing

/// Small experiments with several pretrained models.
struct BackboneExperimentTests {
  let world: TinyWorld
  let output: ExperimentFolder

  init() throws {
    world = try TinyWorld()
    output = ExperimentFolder(world.folder.path("experiment"))
    try RandomBackbones.write(
      RandomBackbones.maeShapes(decoder: nil), to: world.folder.path("mae.safetensors"))
  }

  private func mae(_ settings: [String: String] = [:]) throws -> any ModelFeatures {
    try BackboneRegistry.standard.features(
      of: Checkpoint(contentsOf: world.folder.path("mae.safetensors")),
      settings: ["heads": "3", "blocks": "1,3"].merging(settings) { _, new in new })
  }

  private func both() throws -> [NamedFeatures] {
    [NamedFeatures("ddpm", try world.features()), NamedFeatures("mae", try mae())]
  }

  private func experiment(
    _ backbones: [NamedFeatures], presets: [String] = ["one=init,models=1,epochs=1"],
    seeds: [UInt64] = [3, 4]
  ) throws -> Experiment {
    var experiment = Experiment(
      training: try world.labelled(), testSets: [try world.labelled()], backbones: backbones,
      presets: try presets.map { try SegmenterPreset(variant: $0) }, seeds: seeds, curveSeeds: 0)
    experiment.bootstrapDraws = 200
    return experiment
  }

  private let twoPresets = [
    "one=init,models=1,epochs=1", "flip=init,models=1,epochs=1,test-time=flip,combine=mean",
  ]

  /// What was trained on the way, as `model preset seed`, once each.
  private func run(_ experiment: Experiment) throws -> (report: ExperimentReport, trained: [String]) {
    let steps = Mutex<(model: String, trained: [String])>(("", []))
    let report = try experiment.run(in: output) { progress in
      steps.withLock { steps in
        switch progress {
        case .backbone(let name): steps.model = "\(name) "
        case .training(let seed, _, let preset, .training):
          let step = "\(steps.model)\(preset) \(seed)"
          if steps.trained.last != step { steps.trained.append(step) }
        default: break
        }
      }
    }
    return (report, steps.withLock(\.trained))
  }

  private func iou(_ report: ExperimentReport) -> [[Double]] {
    report.presets.map { $0.scores[0].miou.values }
  }

  /// Counts of the pictures of both seeds, as a run's files have them.
  private func counts(_ folder: String, _ preset: String) throws -> PairedBootstrap.Counts {
    let matrices = try [3, 4].map { seed in
      let path = "\(output.path)/runs/\(folder)seed-\(seed)/\(preset).json"
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
      let sets = try #require((json as? [String: Any])?["testSets"] as? [[String: Any]])
      return try #require(sets[0]["matrices"] as? [[Int]]).map {
        try #require(ConfusionMatrix(classCount: 2, ignoreLabel: 255, cells: $0))
      }
    }
    return PairedBootstrap.Counts(matrices, metric: .ledm)
  }

  /// Every line is what its model gives alone, on the same pictures with the same seeds; differences are to the first
  /// preset with the first model, and paired.
  @Test func everyModelAsAlone() throws {
    let (report, trained) = try run(experiment(both(), presets: twoPresets))
    #expect(report.presets.map(\.id) == ["ddpm / one", "ddpm / flip", "mae / one", "mae / flip"])
    #expect(report.presets.map(\.backbone) == ["ddpm", "ddpm", "mae", "mae"])
    #expect(trained == ["ddpm one 3", "ddpm one 4", "mae one 3", "mae one 4"])
    for (index, model) in try both().enumerated() {
      var alone = try experiment([model], presets: twoPresets)
      alone.bootstrapDraws = 1
      let folder = ExperimentFolder("\(output.path)-\(model.name)")
      let expected = try alone.run(in: folder)
      #expect(expected.presets.map(\.id) == ["one", "flip"] && expected.presets[0].backbone == nil)
      #expect(Array(iou(report)[2 * index..<2 * index + 2]) == iou(expected))
      #expect(expected.setup.backbones == [try #require(report.setup.backbones?[index])])
    }
    #expect(iou(report)[0] != iou(report)[2])
    let first = try counts("ddpm/", "one")
    #expect(report.presets[0].scores[0].difference == nil)
    for (line, place) in [("ddpm/", "flip"), ("mae/", "one"), ("mae/", "flip")].enumerated() {
      let expected = PairedBootstrap(metric: .ledm, ignoreLabel: 255, draws: 200).difference(
        of: try counts(place.0, place.1), to: first)
      #expect(report.presets[line + 1].scores[0].difference == expected)
    }
    let models = try #require(report.setup.backbones)
    #expect(models.map(\.name) == ["ddpm", "mae"] && models.map(\.kind) == ["guided-diffusion", "mae"])
    #expect(
      models.map(\.features) == [try world.features().channels, 48] && models.map(\.imageSize) == [32, 32])
    #expect(models.map(\.model) == ["tiny.safetensors", "mae.safetensors"])
    #expect(
      models.map(\.checkpointSHA256) == [try world.features().origin.sha256(), try mae().origin.sha256()])
  }

  /// Tables, page and figures name both.
  @Test func filesNameAllModels() throws {
    let report = try experiment(both()).run(in: output)
    #expect(report.presets.map(\.id) == ["ddpm", "mae"])
    let saved = try JSONDecoder().decode(
      ExperimentReport.self, from: Data(contentsOf: URL(fileURLWithPath: output.figuresPath)))
    #expect(saved == report)
    func rows(_ name: String) throws -> [[String]] {
      try String(contentsOfFile: "\(output.path)/\(name).csv", encoding: .utf8).split(separator: "\r\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
    }
    let results = try rows("results")
    #expect(results[0] == ["backbone", "preset", "test_set", "seed", "miou"] && results.count == 5)
    #expect(results[3] == ["mae", "one", "images", "3", "\(iou(report)[1][0])"])
    #expect(try rows("summary")[2][..<3] == ["mae", "one", "images"])
    #expect(try rows("classes").map { $0[0] } == ["backbone", "ddpm", "ddpm", "mae", "mae"])
    #expect(try rows("pictures")[0] == ["test_set", "picture", "ddpm", "mae"])
    let digests = report.setup.backbones?.map(\.checkpointSHA256) ?? []
    #expect(try rows("backbones").dropFirst().map { $0[5] } == digests && digests.count == 2)

    let html = try String(contentsOfFile: output.pagePath, encoding: .utf8)
    let page = try PageElements(html)
    for (index, preset) in report.presets.enumerated() {
      let score = preset.scores[0]
      #expect(page.value("miou-0-\(index)") == score.miou.mean)
      #expect(page.value("difference-0-\(index)") == score.difference?.estimate)
      for label in 0..<2 { #expect(page.value("class-0-\(label)-\(index)") == score.classIoU[label]) }
      #expect(page.attribute("backbone-\(index)", "data-sha256") == digests[index])
    }
    #expect(page.text("backbone-1")?.contains("blocks 1, 3") == true)
    // What the last line of each model takes for what, the last one's open.
    #expect(page.ids.filter { $0.hasPrefix("confusion-") } == ["confusion-0-0", "confusion-0"])
    let closed = try #require(html.range(of: "<details><summary>\(report.presets[0].id)</summary>"))
    #expect(
      html[closed.upperBound...].contains("<details open=\"\"><summary>\(report.presets[1].id)</summary>"))
    #expect(page.charts.compactMap { $0["id"] } == ["means-0", "bars-0"])
    #expect(page.charts[0]["aria-label"]?.contains("mae") == true)
    #expect(html.contains("Label-efficient segmentation: 2 backbones compared"))
    // Image, truth, both predictions, difference and uncertainty of each of three pictures.
    #expect(page.images.count == 18)
    #expect(page.images.count { $0["alt"]?.contains("labels of ddpm") == true } == 3)
  }

  /// With more than two models the page shows what each of them says.
  @Test func everyModelHasPictures() throws {
    var models = try both()
    models.append(NamedFeatures("side-by-side", try CombinedFeatures([mae(), world.features()])))
    let report = try experiment(models, seeds: [3]).run(in: output)
    #expect(report.setup.backbones?.map(\.kind) == ["guided-diffusion", "mae", "mae+guided-diffusion"])
    let page = try PageElements(String(contentsOfFile: output.pagePath, encoding: .utf8))
    for name in ["ddpm", "mae", "side-by-side"] {
      #expect(page.images.count { $0["alt"]?.hasSuffix("labels of \(name)") == true } == 3)
    }
    let sums = (0..<3).map { row in
      ["first", "1", "last"].reduce(0) { $0 + (page.value("worst-\(row)-\($1)") ?? .nan) }
    }
    #expect(sums == sums.sorted())
  }

  /// Stopped in the middle of the second model, it goes on there.
  @Test func goesOnWhereItStopped() throws {
    let whole = try run(experiment(both()))
    #expect(whole.trained == ["ddpm one 3", "ddpm one 4", "mae one 3", "mae one 4"])
    #expect(try run(experiment(both())).trained.isEmpty)
    try FileManager.default.removeItem(atPath: "\(output.path)/runs/mae/seed-4/one.json")
    let again = try run(experiment(both()))
    #expect(again.trained == ["mae one 4"] && iou(again.report) == iou(whole.report))
  }

  /// A model is known by what it is: it can be added, left out, and have another name.
  @Test func modelsAreAdded() throws {
    let alone = try run(experiment([both()[0]]))
    #expect(alone.trained == ["one 3", "one 4"])
    #expect(FileManager.default.fileExists(atPath: "\(output.path)/runs/seed-3/one.json"))
    let (report, trained) = try run(experiment(both()))
    #expect(trained == ["mae one 3", "mae one 4"] && iou(report)[0] == iou(alone.report)[0])
    #expect(FileManager.default.fileExists(atPath: "\(output.path)/runs/mae/seed-4/one.json"))
    let renamed = try both().reversed().map { NamedFeatures("\($0.name)-model", $0.features) }
    let turned = try run(experiment(renamed))
    #expect(turned.trained.isEmpty && turned.report.presets.map(\.id) == ["mae-model", "ddpm-model"])
    #expect(iou(turned.report) == iou(report).reversed())
    let last = try run(experiment([both()[1]]))
    #expect(last.trained.isEmpty && last.report.presets.map(\.id) == ["one"])
    #expect(iou(last.report) == [iou(report)[1]])
    // Nothing was forgotten.
    #expect(try run(experiment(both())).trained.isEmpty)
    // A name that another model had before is no hindrance.
    let other = NamedFeatures("mae", try mae(["blocks": "0"]))
    #expect(try run(experiment([renamed[0], other])).trained == ["mae one 3", "mae one 4"])
    #expect(FileManager.default.fileExists(atPath: "\(output.path)/runs/mae-2/seed-4/one.json"))
  }

  @Test func otherSettingsAreRefused() throws {
    _ = try experiment(both(), seeds: [3]).run(in: output)
    var models = try both()
    models[1].features = try mae(["blocks": "2"])
    let other = #expect(throws: DataError.self) { try experiment(models, seeds: [3]).run(in: output) }
    #expect(other?.kind == .cannotCreate && other?.item == "mae: activations: blocks" && other?.found == "2")
    // Runs under the wrong model.
    let runs = "\(output.path)/runs"
    try FileManager.default.removeItem(atPath: "\(runs)/mae")
    try FileManager.default.copyItem(atPath: "\(runs)/ddpm", toPath: "\(runs)/mae")
    let moved = #expect(throws: DataError.self) { try experiment(both(), seeds: [3]).run(in: output) }
    #expect(moved?.kind == .malformed && moved?.file == "\(runs)/mae/seed-3/one.json")
    // Settings that nobody wrote.
    let settings = "\(output.path)/settings.json"
    let text = try String(contentsOfFile: settings, encoding: .utf8)
    for folder in ["../../elsewhere", "ddpm"] {
      try text.replacing("\"folder\" : \"mae\"", with: "\"folder\" : \"\(folder)\"")
        .write(toFile: settings, atomically: true, encoding: .utf8)
      let damaged = #expect(throws: DataError.self) { try experiment(both(), seeds: [3]).run(in: output) }
      #expect(damaged?.file == settings && damaged?.item == "backbones")
    }
  }

  @Test func modelsThatCannotBeCompared() throws {
    let (first, second) = (try both()[0], try both()[1])
    for (models, item) in [
      ([], "backbones"), ([first, NamedFeatures("ddpm", second.features)], "backbones"),
      ([first, NamedFeatures("a/b", second.features)], "backbones"),
      ([first, NamedFeatures("again", first.features)], "backbone again"),
    ] as [([NamedFeatures], String)] {
      let error = #expect(throws: DataError.self) { try experiment(models).run(in: output) }
      #expect(error?.kind == .invalidArgument && error?.item == item)
    }
  }

  /// Pictures of another size are said.
  @Test func otherSizesAreTold() throws {
    let notices = Notices()
    var models = try both()
    _ = try experiment(models, seeds: [3]).run(in: output, notices: notices)
    #expect(!notices.all.contains { $0.item.hasPrefix("image size") })
    models[1].features = try mae(["image-size": "16"])
    _ = try experiment(models, seeds: [3]).run(in: ExperimentFolder(output.path + "-16"), notices: notices)
    #expect(notices.all.count { $0.file == "mae" && $0.item == "image size 16" } == 1)
  }

  /// The features of one model count at a time, and the weights of all.
  @Test func memoryIsThatOfOneModelsFeatures() throws {
    let models = try both()
    // The file grows after it was read: whatever is small is not looked at.
    let path = world.folder.path("mae.safetensors")
    try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 100 << 20)
    let tiny = try #require(FileManager.default.attributesOfItem(atPath: world.checkpoint)[.size] as? Int)
    let features = models.map { 3 * $0.features.mapBytes(height: 32, width: 32, precision: .float) }
    let needed = Int(features.max()!) + (100 << 20) + tiny
    func error(_ models: [NamedFeatures], bytes: Int) throws -> DataError? {
      #expect(throws: DataError.self) {
        try MemoryBudget.withBytes(bytes) { try experiment(models, seeds: [3]).run(in: output) }
      }
    }
    #expect(try error(models, bytes: needed - 1)?.item.contains("weights of all models") == true)
    // The first error is then that the file has changed. Features of both at once would take more.
    #expect(try error(models, bytes: needed + 1)?.item.contains("memory") == false)
    #expect(try error([models[1]], bytes: 65 << 20)?.item.contains("memory") == false)
  }
}

struct BackboneNameTests {
  typealias Model = (given: String?, kind: String, path: String)

  @Test func namesAreUnique() throws {
    func names(_ models: [Model]) throws -> [String] { try NamedFeatures.names(models) }
    #expect(try names([(nil, "mae", "a/vit base.pth"), (nil, "swav", "b/r50.tar")]) == ["vit-base", "r50"])
    #expect(
      try names([(nil, "mae", "a/model.pt"), (nil, "swav", "b/model.pt"), (nil, "mae", "c/model.pt")])
        == ["mae-model", "swav-model", "mae-model-2"])
    #expect(try names([("model", "mae", "x.pt"), (nil, "swav", "model.pt")]) == ["model", "swav-model"])
    #expect(try names([(nil, "mae", "/tmp/….pt")]) == ["mae"])
    let long = String(repeating: "x", count: 100)
    let both = try names([(nil, "mae", "a/\(long)"), (nil, "mae", "b/\(long)")])
    #expect(Set(both).count == 2 && both.allSatisfy(NamedFeatures.isName))
  }

  @Test(arguments: [["a b"], [""], ["ä"], ["a:b"], ["same", "same"]])
  func namesThatCannotBe(_ given: [String]) {
    let error = #expect(throws: DataError.self) {
      try NamedFeatures.names(given.map { ($0, "mae", "model.pt") })
    }
    #expect(error?.kind == .invalidArgument)
  }
}
