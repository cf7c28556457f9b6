import Base
import Checkpoints
import Demo
import DiffusionCore
import DiffusionSegmentation
import Foundation
import Images
import SyntheticScenes
import TensorCore
import TestSupport
import Testing

struct ShippedModelTests {
  private static func shipped() throws -> DiffusionBackbone {
    let path = try ShippedModel.path()
    return try DiffusionBackbone(checkpoint: path, options: try DiffusionOptions(checkpoint: path))
  }

  @Test func isSmallAndInHalves() throws {
    let path = try ShippedModel.path()
    #expect(try MappedFile(path: path).bytes.count <= 14_000_000)
    let state = try StateDictionary(contentsOf: path)
    #expect(state.tensors.allSatisfy { $0.array.elementType == .float16 })
    #expect(state.tensors.reduce(0) { $0 + $1.array.count } > 6_000_000)
    #expect(try Self.shipped().options.imageSize == 64)
  }

  /// What was learned without labels is what helps: the same network with its initial weights is far behind, and the
  /// trained one is well ahead of what needs no network.
  @Test func beatsAnUntrainedNetworkAndTheBaselines() throws {
    let backbone = try Self.shipped()
    let configuration = backbone.network.configuration
    let initial = try UNet.initialParameters(configuration, random: Philox(seed: 1))
    let untrained = try DiffusionBackbone(
      network: UNet(configuration, weights: WeightScope(StateDictionary(initial, file: "untrained"))),
      options: backbone.options, checkpointPath: "untrained")
    func features(_ backbone: DiffusionBackbone) -> DiffusionFeatures {
      DiffusionFeatures(backbone, steps: [50], blocks: [4, 5, 6, 7, 8])
    }
    let scenes = SyntheticScenes(seed: 7)
    let (training, test) = ((0..<12).map { scenes.scene($0) }, (12..<24).map { scenes.scene($0) })
    let contenders =
      [Contender.diffusion(features(backbone)), .diffusion(features(untrained))] + Contender.baselines
    let scores = try contenders.map {
      try $0.run(
        training: training, test: test, options: SegmenterOptions(members: 2, epochs: 0, maxEpochs: 2)
      ).matrices.pooled.meanIoU(.ledm)
    }
    print("mIoU: trained \(scores[0]), untrained \(scores[1]), patch \(scores[2]), RGB \(scores[3])")
    #expect(scores[0] > scores[1] + 0.1)
    #expect(scores[0] > scores[2] + 0.1)
    #expect(scores[0] > scores[3] + 0.1)
  }
}
