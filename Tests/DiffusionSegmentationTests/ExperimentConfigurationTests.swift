import Base
import DiffusionSegmentation
import Foundation
import TestSupport
import Testing

struct ExperimentConfigurationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The keys and values that the files of ddpm-segmentation have.
  static let horse: [String: String] = [
    "exp_dir": #""pixel_classifiers/horse_21/ddpm""#, "model_type": #""ddpm""#, "category": #""horse_21""#,
    "number_class": "21", "ignore_label": "255", "training_path": #""datasets/horse_21/real/train""#,
    "validation_path": #""datasets/horse_21/ddpm""#, "testing_path": #""datasets/horse_21/real/test""#,
    "model_path": #""checkpoints/ddpm/lsun_horse.pt""#, "dim": "[256, 256, 8448]", "steps": "[50, 150, 250]",
    "blocks": "[5, 6, 7, 8, 12]", "model_num": "10", "batch_size": "64", "max_training": "30",
    "training_number": "30", "testing_number": "30", "upsample_mode": #""bilinear""#, "share_noise": "true",
    "input_activations": "false",
  ]

  private func read(
    changing changes: [String: String] = [:], without key: String? = nil
  ) throws -> ExperimentConfiguration {
    var values = Self.horse.merging(changes) { $1 }
    if let key { values[key] = nil }
    let text = "{" + values.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}"
    return try ExperimentConfiguration(contentsOf: folder.file("ddpm.json", text.utf8))
  }

  @Test func readsTheReferencesFile() throws {
    let configuration = try read()
    #expect(
      configuration.outputDirectory(configuration.settings)
        == "pixel_classifiers/horse_21/ddpm/50_150_250_5_6_7_8_12")
    #expect(
      configuration.classCount == 21 && configuration.ignoreLabel == 255 && configuration.imageSize == 256)
    #expect(configuration.steps == [50, 150, 250] && configuration.blocks == [5, 6, 7, 8, 12])
    #expect(configuration.members == 10 && configuration.batchSize == 64 && configuration.sharesNoise)
    #expect(configuration.trainingNumber == 30 && configuration.featureCount == 8448)
  }

  /// Those of the paper's other models have no steps or blocks, and their results lie in the folder itself.
  @Test(arguments: [
    ("mae", "mae", 12288, false), ("swav", "swav", 6720, true), ("swav_w2", "swav", 13440, true),
  ])
  func otherModels(type: String, kind: String, features: Int, takesInputs: Bool) throws {
    let changes = [
      "model_type": "\"\(type)\"", "steps": "[]", "blocks": "[]", "dim": "[256, 256, \(features)]",
      "input_activations": "\(takesInputs)",
    ]
    for key in [nil, "steps", "input_activations"] {
      let configuration = try read(changing: changes, without: key)
      #expect(configuration.kind == kind && configuration.settings == ["image-size": "256"])
      #expect(configuration.outputDirectory(configuration.settings) == "pixel_classifiers/horse_21/ddpm")
      #expect(configuration.featureCount == features)
    }
    for (key, value) in [("steps", "[50]"), ("blocks", "[1]"), ("input_activations", "\(!takesInputs)")] {
      let error = #expect(throws: DataError.self) {
        try read(changing: changes.merging([key: value]) { $1 })
      }
      #expect(error?.item == (key == "blocks" ? "steps" : key) && error?.isAboutContent == true)
    }
  }

  @Test(arguments: ["alae", "datasetGAN", "DDPM"])
  func otherModelsAreRefusedByName(_ kind: String) throws {
    let error = #expect(throws: DataError.self) { try read(changing: ["model_type": "\"\(kind)\""]) }
    #expect(error?.item == "model_type" && error?.found == kind && error?.kind == .unsupported)
  }

  @Test(arguments: [
    ("steps", "\"50\""), ("steps", "[50, \"x\"]"), ("blocks", "5"), ("number_class", "\"21\""),
    ("number_class", "0"), ("number_class", "2.5"), ("number_class", "1e300"), ("ignore_label", "256"),
    ("ignore_label", "-1"), ("dim", "[256]"), ("dim", "[256, 128, 8448]"), ("dim", "[0, 0, 1]"),
    ("model_num", "true"), ("model_path", "null"), ("training_path", "[]"), ("share_noise", "1"),
    ("input_activations", "true"), ("upsample_mode", "\"nearest\""), ("batch_size", "0"), ("exp_dir", "{}"),
  ])
  func wrongTypeOrValueIsNamed(_ key: String, value: String) throws {
    let error = #expect(throws: DataError.self) { try read(changing: [key: value]) }
    #expect(error?.item.hasPrefix(key) == true && error?.isAboutContent == true)
  }

  @Test(arguments: [
    "steps", "blocks", "number_class", "ignore_label", "dim", "model_path", "training_path", "exp_dir",
  ])
  func missingKeyIsNamed(_ key: String) throws {
    let error = #expect(throws: DataError.self) { try read(without: key) }
    #expect(error?.item == key && error?.found == "nothing")
  }
}
