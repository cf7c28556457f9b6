import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Images
import Layers
import TensorCore
import TestSupport
import Testing

/// Residual networks as a backbone, beside the known answers.
struct SwAVTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func checkpoint(
    _ shapes: [(name: String, shape: [Int])] = RandomBackbones.resNetShapes(), prefix: String = "module."
  ) throws -> Checkpoint {
    try RandomBackbones.write(shapes, to: folder.path("model.safetensors"), prefix: prefix)
    return try Checkpoint(contentsOf: folder.path("model.safetensors"))
  }

  private func features(
    _ settings: [String: String] = [:], _ checkpoint: Checkpoint
  ) throws -> any ModelFeatures {
    try BackboneRegistry.standard.features(
      of: checkpoint, settings: settings.merging(["image-size": "64"]) { given, _ in given })
  }

  /// Blocks that ddpm-segmentation takes, whose channels are those of a ResNet-50 over sixteen.
  @Test(arguments: ["", "module.", "backbone.encoder."])
  func defaultsAreThoseOfTheReference(prefix: String) throws {
    let features = try features([:], try checkpoint(prefix: prefix))
    #expect(
      features.layout.map(\.key.name) == [
        "layer1.0", "layer1.2", "layer2.0", "layer2.2", "layer3.0", "layer3.2", "layer3.4", "layer4.0",
        "layer4.2",
      ])
    #expect(features.layout.map(\.channels) == [4, 16, 16, 32, 32, 64, 64, 64, 128])
    #expect(features.layout.map(\.stride) == [4, 4, 4, 8, 8, 16, 16, 16, 32])
    #expect(features.channels == 420 && features.record.kind == "swav")
  }

  /// Maps have the sizes that the layout tells, whatever the picture.
  @Test(arguments: [(64, 64), (96, 32), (64, 224)])
  func mapsHaveTheirSizes(height: Int, width: Int) throws {
    let features = try features([:], try checkpoint())
    var random = Philox(seed: 3)
    let maps = try features.extract(random.normal(shape: [3, height, width]))
    for (slot, map) in zip(features.layout, maps.maps) {
      #expect(map.height == height / slot.stride && map.width == width / slot.stride)
      #expect(map.channels == slot.channels && map.tensor.elements.allSatisfy(\.isFinite))
    }
  }

  /// Also of 3×3 convolutions in groups, as ResNeXt has them.
  @Test(arguments: [1, 4])
  func foldedNormalisationsAreThoseOfTraining(groups: Int) throws {
    let state = try StateDictionary(try checkpoint(RandomBackbones.resNetShapes(groups: groups)))
    let configuration = try ResNetConfiguration(state: state)
    #expect(configuration.stages.joined().allSatisfy { $0.groups == groups })
    let shapes = RandomBackbones.resNetShapes(groups: groups)
    #expect(configuration.parameterShapes.map(\.shape) == shapes.map(\.shape))
    var random = Philox(seed: 4)
    let x = random.normal(shape: [2, 40, 56, 3])
    func outputs(_ use: NetworkUse, _ precision: ConvolutionPolicy.Precision) -> [Tensor] {
      ResNet(
        configuration, use: use, convolutions: ConvolutionPolicy(precision: precision, imageSize: 64),
        weights: WeightScope(state)
      ).inputs(of: [0, 3, 7, 13, 16], for: x)
    }
    let expected = outputs(.training, .reference)
    let (folded, fast) = (outputs(.inference, .reference), outputs(.inference, .fast))
    for index in expected.indices {
      expectClose(folded[index], NaiveTensor(expected[index]), absolute: 2e-4, relative: 1e-4)
      expectClose(fast[index], NaiveTensor(expected[index]), absolute: 2e-3, relative: 1e-3)
    }
  }

  @Test func choosesAndRecordsLayers() throws {
    let checkpoint = try checkpoint()
    let chosen = try features(["layers": "layer3.1,layer1.0"], checkpoint)
    #expect(chosen.layout.map(\.channels) == [64, 4])
    let again = try BackboneRegistry.standard.features(
      of: checkpoint, record: chosen.record, source: "record", notices: Notices())
    #expect(again.record == chosen.record)
    var random = Philox(seed: 5)
    let picture = random.normal(shape: [3, 64, 64])
    let (one, all) = (try chosen.extract(picture), try features([:], checkpoint).extract(picture))
    #expect(one.maps[1].tensor == all.maps[0].tensor)
  }

  @Test(arguments: [
    (["layers": "99"], "layer1.0: 4@16"), (["layers": "layer1.0,layer1.0"], "each once"),
    (["layers": ""], "names of blocks"), (["layers": "layer4.3"], "layer4.2: 128@2"),
    (["image-size": "48"], "a multiple of 32"), (["steps": "50"], "image-size, precision, layers"),
  ])
  func settingsThatDoNotFit(settings: [String: String], expected: String) throws {
    let checkpoint = try checkpoint()
    let error = #expect(throws: DataError.self) { try features(settings, checkpoint) }
    #expect(error?.kind == .invalidArgument && error?.expected.contains(expected) == true, "\(error!)")
  }

  /// What such a file may lack or hold beside the network.
  @Test func filesThatAreNoSuchNetwork() throws {
    let all = RandomBackbones.resNetShapes()
    func error(_ shapes: [(name: String, shape: [Int])]) throws -> DataError? {
      let checkpoint = try checkpoint(shapes)
      return #expect(throws: DataError.self) { try features([:], checkpoint) }
    }
    let basic = all.filter { !$0.name.contains("conv3") && !$0.name.contains("bn3") }
    #expect(try error(basic)?.found.contains("ResNet-18") == true)
    #expect(
      try error(all.filter { $0.name != "layer2.1.bn2.weight" })?.description.contains("layer2.1.bn2.weight")
        == true)
    #expect(
      try error(all.filter { !$0.name.contains("layer3.0.downsample") })?.item.hasSuffix(
        "layer3.0.downsample.0.weight") == true)
    let uneven = all.map { $0.name == "layer2.1.conv2.weight" ? ($0.name, [8, 3, 3, 3]) : $0 }
    #expect(try error(uneven)?.found == "one from 3 to 8")
    let grey = all.map { $0.name == "conv1.weight" ? ($0.name, [4, 1, 7, 7]) : $0 }
    #expect(try error(grey)?.expected.contains("3 channels") == true)
    let dilated = all + [("classifier.0.convs.0.0.weight", [4, 4, 1, 1])]
    #expect(try error(dilated)?.found.contains("DeepLab") == true)
  }

  @Test func headsAreLeftOut() throws {
    let heads: [(name: String, shape: [Int])] = [
      ("projection_head.0.weight", [6, 128]), ("prototypes.prototypes0.weight", [5, 6]), ("fc.bias", [10]),
    ]
    #expect(try features([:], try checkpoint(RandomBackbones.resNetShapes() + heads)).channels == 420)
  }

  @Test func variancesBelowZeroAreRefused() throws {
    var tensors = RandomBackbones.tensors(RandomBackbones.resNetShapes())
    let place = tensors.firstIndex { $0.name == "layer1.1.bn2.running_var" }!
    tensors[place].tensor = tensors[place].tensor * -1
    var writer = SafetensorsWriter()
    for tensor in tensors { writer.append(tensor.name, tensor.tensor) }
    try writer.write(to: folder.path("negative.safetensors"))
    let checkpoint = try Checkpoint(contentsOf: folder.path("negative.safetensors"))
    let error = #expect(throws: DataError.self) { try features([:], checkpoint) }
    #expect(error?.item == "layer1.1.bn2.running_var" && error?.kind == .malformed)
  }

  @Test func goesThroughThePipeline() throws {
    let world = try TinyWorld(pictures: 4, width: 48, height: 40)
    let features = try features([:], try checkpoint())
    let segmenter = try Segmenter.train(
      on: world.labelled(), features: features, options: .init(members: 2, epochs: 3, maxEpochs: 3))
    #expect(try segmenter.evaluate(on: world.labelled()).confusion.meanIoU(.ledm) > 0.7)
    let path = folder.path("segmenter.safetensors")
    try segmenter.write(to: path)
    let image = try Image(contentsOf: "\(world.images)/scene1.png")
    #expect(try Segmenter(contentsOf: path).segment(image).labels == segmenter.segment(image).labels)
  }

  /// Counts of the published networks, plain and wide, and the layout of the small one.
  @Test(arguments: [(64, 23_508_032), (128, 93_907_072)])
  func namesAndShapes(stem: Int, count: Int) {
    let shapes = ResNetConfiguration(blocks: [3, 4, 6, 3], stem: stem).parameterShapes
    #expect(shapes.count == 318 - 53)
    let trained = shapes.filter { !$0.name.contains("running") }
    #expect(trained.reduce(0) { $0 + $1.shape.reduce(1, *) } == count)
    let small = ResNetConfiguration(blocks: [3, 4, 6, 3], stem: 4).parameterShapes
    let expected = RandomBackbones.resNetShapes()
    #expect(
      Dictionary(uniqueKeysWithValues: small.map { ($0.name, $0.shape) })
        == Dictionary(uniqueKeysWithValues: expected.map { ($0.name, $0.shape) }))
  }

  @Test func factsTellTheCost() throws {
    let state = try StateDictionary(try checkpoint())
    var options = SwAVOptions()
    options.imageSize = 256
    let facts = try SwAV.facts(of: state, options: options)
    #expect(facts.activations.count == 16 && facts.activations[3].name == "layer2.0")
    #expect(facts.activations[3].height == 64 && facts.activations[4].height == 32)
    #expect(zip(facts.activations, facts.activations.dropFirst()).allSatisfy { $0.costSoFar < $1.costSoFar })
  }
}
