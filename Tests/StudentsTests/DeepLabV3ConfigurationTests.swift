import Base
import Checkpoints
import Layers
import TensorCore
import TestSupport
import Testing

@testable import Students

struct DeepLabV3ConfigurationTests {
  /// Counts of the published networks of 21 classes.
  @Test(arguments: [
    ([3, 4, 23, 3], false, 668, 58_630_997), ([3, 4, 6, 3], false, 362, 39_638_869),
    ([3, 4, 23, 3], true, 668 + 8, 60_996_202),
  ])
  func publishedSizes(blocks: [Int], hasAuxiliary: Bool, tensors: Int, weights: Int) {
    let network = DeepLabV3Configuration(blocks: blocks, classes: 21, hasAuxiliary: hasAuxiliary)
    let shapes = network.parameterShapes
    // Each normalisation counts its batches.
    let norms = shapes.count { $0.name.hasSuffix("running_mean") }
    #expect(shapes.count + norms == tensors)
    let trained = shapes.filter { DeepLabV3Configuration.isTrained($0.name) }
    #expect(trained.reduce(0) { $0 + $1.shape.reduce(1, *) } == weights)
    #expect(network.backbone.outputStride == 8)
  }

  @Test func dilationFollowsTorchvision() {
    let stages = DeepLabV3Configuration(blocks: [1, 2, 3, 3], classes: 2).backbone.stages
    #expect(stages.map { $0.map(\.dilation) } == [[1], [1, 1], [1, 2, 2], [2, 4, 4]])
    #expect(stages.map { $0.map(\.stride) } == [[1], [2, 1], [1, 1, 1], [1, 1, 1]])
    let plain = ResNetConfiguration(blocks: [1, 2, 3, 3])
    #expect(plain.replacingStride([false, false, false]) == plain)
    #expect(
      plain.replacingStride([false, false, true]).stages.map { $0.map(\.dilation) }
        == [[1], [1, 1], [1, 1, 1], [1, 2, 2]])
  }

  @Test(arguments: [false, true], [false, true])
  func isReadOffTheShapes(isBasic: Bool, hasAuxiliary: Bool) throws {
    let network = DeepLabV3Configuration(
      blocks: [1, 2, 1, 1], stem: 8, isBasic: isBasic, classes: 3, poolingChannels: 6, rates: [2, 5],
      hasAuxiliary: hasAuxiliary)
    let state = StateDictionary(network.initialParameters(random: Philox(seed: 1)), file: "random")
    #expect(try DeepLabV3Configuration(state: state, rates: [2, 5]) == network)
    _ = try DeepLabV3(state: state, rates: [2, 5])
  }

  @Test func initialParametersFollowTorchvision() throws {
    let network = DeepLabV3Configuration(
      blocks: [1, 1, 1, 1], stem: 16, classes: 5, poolingChannels: 32, hasAuxiliary: true)
    let tensors = network.initialParameters(random: Philox(seed: 1))
    func values(_ name: String) throws -> [Float] {
      try #require(tensors.first { $0.name == name }).tensor.elements
    }
    let kernel = try values("backbone.layer3.0.conv3.weight")
    let deviation = (kernel.reduce(0) { $0 + $1 * $1 } / Float(kernel.count)).squareRoot()
    #expect(abs(deviation / (2 / Float(256)).squareRoot() - 1) < 0.03)
    let pooling = try values("classifier.0.convs.1.0.weight")
    let bound = 1 / Float(512 * 9).squareRoot()
    #expect(pooling.max()! <= bound && pooling.max()! > 0.99 * bound && pooling.min()! < -0.99 * bound)
    #expect(try values("classifier.4.bias").allSatisfy { $0 != 0 && abs($0) <= 1 / Float(32).squareRoot() })
    #expect(try values("aux_classifier.1.weight").allSatisfy { $0 == 1 })
    #expect(try values("aux_classifier.1.bias").allSatisfy { $0 == 0 })
    #expect(try values("backbone.bn1.running_var").allSatisfy { $0 == 1 })
  }

  // MARK: Files that do not fit

  private static let network = DeepLabV3Configuration(
    blocks: [1, 1, 1, 1], stem: 4, classes: 3, poolingChannels: 4, rates: [2, 3], hasAuxiliary: true)

  private func state(
    _ change: (inout [NamedTensor]) -> Void = { _ in }
  ) -> StateDictionary {
    var tensors = Self.network.initialParameters(random: Philox(seed: 2))
    change(&tensors)
    return StateDictionary(tensors, file: "model.pth")
  }

  @Test func otherRatesAreRefused() {
    for (rates, item) in [([2], "convs.2"), ([2, 3, 4], "convs.3")] {
      let error = #expect(throws: DataError.self) { try DeepLabV3(state: state(), rates: rates) }
      #expect(error?.item == "classifier.0.\(item).0.weight")
    }
    #expect(throws: DataError.self) { try DeepLabV3(state: state(), rates: [0, 2]) }
  }

  @Test func otherFilesAreRefused() {
    let residual = StateDictionary(
      ResNetConfiguration(blocks: [1, 1, 1, 1], stem: 4).parameterShapes.map {
        NamedTensor(name: $0.name, tensor: Tensor(zeros: $0.shape))
      }, file: "resnet.pth")
    #expect(throws: DataError.self) { try DeepLabV3(state: residual, rates: [2, 3]) }
    let short = state { $0.removeAll { $0.name.contains("layer4") } }
    let error = #expect(throws: DataError.self) { try DeepLabV3(state: short, rates: [2, 3]) }
    #expect(error?.item == "backbone.layer4.0.conv1.weight")
    let negative = state { tensors in
      let place = tensors.firstIndex { $0.name == "classifier.2.running_var" }!
      tensors[place].tensor = Tensor(repeating: -1, shape: [4])
    }
    #expect(throws: DataError.self) { try DeepLabV3(state: negative, rates: [2, 3]) }
    let more = state { $0.append(NamedTensor(name: "extra.weight", tensor: Tensor(zeros: [1]))) }
    #expect(throws: DataError.self) { try DeepLabV3(state: more, rates: [2, 3]) }
  }

  @Test func theAuxiliaryHeadIsLeftOutAloud() throws {
    let notices = Notices()
    let kept = DeepLabV3State.withoutAuxiliary(state(), notices: notices)
    #expect(notices.all.map(\.kind) == [.leftOut])
    #expect(try DeepLabV3(state: kept, rates: [2, 3]).configuration.auxiliaryChannels == nil)
    _ = DeepLabV3State.withoutAuxiliary(kept, notices: notices)
    #expect(notices.all.count == 1)
  }

  @Test func aBackboneOfOtherShapesIsRefused() throws {
    func residual(_ blocks: [Int], stem: Int) -> StateDictionary {
      StateDictionary(
        ResNetConfiguration(blocks: blocks, stem: stem).parameterShapes.map {
          NamedTensor(name: $0.name, tensor: Tensor(repeating: 2, shape: $0.shape))
        }, file: "resnet.pth")
    }
    func replaced(_ other: StateDictionary) throws -> StateDictionary {
      try DeepLabV3State.replacingBackbone(of: state(), by: other, notices: Notices())
    }
    #expect(throws: DataError.self) { try replaced(residual([1, 1, 1, 1], stem: 8)) }
    #expect(throws: DataError.self) { try replaced(residual([1, 1, 1], stem: 4)) }
    let error = #expect(throws: DataError.self) { try replaced(residual([1, 1, 1, 2], stem: 4)) }
    #expect(error?.item == "layer4.1.conv1.weight")
    let joined = try replaced(residual([1, 1, 1, 1], stem: 4))
    #expect(joined["backbone.layer4.0.conv3.weight"]?.tensor().elements.allSatisfy { $0 == 2 } == true)
    #expect(joined["classifier.4.bias"]?.tensor() == state()["classifier.4.bias"]?.tensor())
  }
}
