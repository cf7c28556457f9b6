import Base
import Checkpoints
import Foundation
import PixelClassifier
import TensorCore
import Testing

@Suite("Weights of classifiers")
struct WeightTests {
  private func scope(_ tensors: [NamedArray]) -> WeightScope {
    WeightScope(StateDictionary(tensors, file: "model.pth"))
  }

  private func expectSame(_ a: PixelMLP, _ b: PixelMLP) {
    #expect(a.linear0 == b.linear0 && a.linear3 == b.linear3 && a.linear6 == b.linear6)
    #expect(a.norm2.weight == b.norm2.weight && a.norm2.bias == b.norm2.bias)
    #expect(a.norm2.runningMean == b.norm2.runningMean && a.norm2.runningVariance == b.norm2.runningVariance)
    #expect(a.norm5.weight == b.norm5.weight && a.norm5.bias == b.norm5.bias)
    #expect(a.norm5.runningMean == b.norm5.runningMean && a.norm5.runningVariance == b.norm5.runningVariance)
    #expect(a.batchesTracked == b.batchesTracked)
  }

  @Test("a classifier survives as named tensors", arguments: [3, 34])
  func roundTrip(classes: Int) throws {
    var classifier = randomClassifier(features: 11, classes: classes, seed: 4)
    classifier.batchesTracked = 1234
    expectSame(try PixelMLP(weights: scope(classifier.namedTensors)), classifier)
  }

  @Test("a classifier with the numbers of the report's, where dropout counts as a layer, is read")
  func dropoutNumbers() throws {
    let classifier = randomClassifier(features: 7, classes: 5, seed: 6)
    let numbers = ["0": "0", "2": "3", "3": "4", "5": "7", "6": "8"]
    let moved = classifier.namedTensors.map { tensor in
      var parts = tensor.name.split(separator: ".").map(String.init)
      parts[1] = numbers[parts[1]]!
      return NamedArray(name: parts.joined(separator: "."), array: tensor.array)
    }
    expectSame(try PixelMLP(weights: scope(moved)), classifier)
  }

  @Test("tensors have the reference's names and shapes")
  func names() throws {
    let classifier = try PixelMLP(contentsOf: Golden.path("seg_models/model_0.pth"))
    let reference = try StateDictionary(Checkpoint(contentsOf: Golden.path("seg_models/model_0.pth")))
    let own = classifier.namedTensors
    #expect(Set(own.map(\.name)) == Set(reference.tensors.map(\.name)))
    for tensor in own { #expect(reference[tensor.name]?.shape == tensor.array.shape) }
    #expect(own.first { $0.name == "layers.5.num_batches_tracked" }?.array.elementType == .int64)
  }

  @Test("an ensemble survives in a file")
  func ensembleFile() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let ensemble = try PixelEnsemble((0..<3).map { randomClassifier(features: 6, classes: 4, seed: $0) })
    var writer = SafetensorsWriter()
    for tensor in ensemble.namedTensors { writer.append(tensor.name, tensor.array) }
    try writer.write(to: path)
    let state = StateDictionary(try SafetensorsFile(contentsOf: path).tensors, file: path)
    let read = try PixelEnsemble(memberCount: 3, weights: WeightScope(state))
    for (a, b) in zip(read.members, ensemble.members) { expectSame(a, b) }
  }

  @Test("members that the reference saved make an ensemble")
  func referenceFiles() throws {
    let ensemble = try PixelEnsemble(contentsOf: (0..<3).map { Golden.path("seg_models/model_\($0).pth") })
    #expect(ensemble.members.count == 3 && ensemble.featureCount == 288 && ensemble.classCount == 15)
  }

  @Test(
    "what is missing or misshapen is named",
    arguments: [
      "layers.0.weight", "layers.0.bias", "layers.2.running_var", "layers.3.weight", "layers.5.bias",
      "layers.6.weight",
    ])
  func damaged(name: String) throws {
    let tensors = randomClassifier(features: 5, classes: 3, seed: 5).namedTensors
    let error = #expect(throws: DataError.self) {
      try PixelMLP(weights: scope(tensors.filter { $0.name != name }))
    }
    #expect(error?.kind == .malformed && error?.file == "model.pth" && error?.item == name)

    for shape in [[], [7], [7, 7], [2, 3, 4], [0, 5]] {
      let other = NumericArray(Tensor(zeros: shape))
      let error = #expect(throws: DataError.self) {
        try PixelMLP(
          weights: scope(tensors.map { $0.name == name ? NamedArray(name: name, array: other) : $0 }))
      }
      #expect(error?.description.contains("layers.") == true)
    }
  }

  @Test("layers that do not fit each other are refused before memory is asked for")
  func lyingWidths() {
    let wide = { (shape: [Int]) in NumericArray(Tensor(zeros: shape)) }
    let tensors = [
      NamedArray(name: "layers.0.weight", array: wide([1 << 20, 1])),
      NamedArray(name: "layers.3.weight", array: wide([1 << 20, 1])),
      NamedArray(name: "layers.6.weight", array: wide([1 << 20, 1])),
    ]
    let error = #expect(throws: DataError.self) { try PixelMLP(weights: scope(tensors)) }
    #expect(error?.item == "layers.3.weight")
  }

  @Test("a tensor that no layer knows is an error")
  func unused() {
    let tensors = randomClassifier(features: 5, classes: 3, seed: 6).namedTensors
    let extra = NamedArray(name: "layers.7.weight", array: NumericArray(Tensor(zeros: [1])))
    let error = #expect(throws: DataError.self) { try PixelMLP(weights: scope(tensors + [extra])) }
    #expect(error?.item == "layers.7.weight")
  }

  @Test("a count of members that the file does not have is an error", arguments: [-1, 0, 3, Int.max])
  func memberCount(count: Int) throws {
    let ensemble = try PixelEnsemble((0..<2).map { randomClassifier(features: 6, classes: 4, seed: $0) })
    #expect(throws: DataError.self) {
      try PixelEnsemble(memberCount: count, weights: scope(ensemble.namedTensors))
    }
  }

  @Test("members of different widths are no ensemble, and neither is none")
  func mixedEnsemble() {
    #expect(throws: DataError.self) { try PixelEnsemble([]) }
    let error = #expect(throws: DataError.self) {
      try PixelEnsemble([
        randomClassifier(features: 5, classes: 3, seed: 7),
        randomClassifier(features: 6, classes: 3, seed: 7),
      ])
    }
    #expect(error?.item == "widths of member 1")
  }

  @Test("a counter that is no number of batches reads as zero", arguments: [Float.nan, .infinity, 0.5])
  func strangeCounter(value: Float) throws {
    let tensors = randomClassifier(features: 5, classes: 3, seed: 8).namedTensors.map { tensor in
      tensor.name.hasSuffix("num_batches_tracked")
        ? NamedArray(name: tensor.name, array: NumericArray([value], shape: [])) : tensor
    }
    #expect(try PixelMLP(weights: scope(tensors)).batchesTracked == 0)
  }
}
