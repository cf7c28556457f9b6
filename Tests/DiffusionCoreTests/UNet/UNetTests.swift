import Base
import Checkpoints
import DiffusionCore
import TensorCore
import TestSupport
import Testing

struct UNetTests {
  @Test func activationsAreThoseOfTheWholeForward() throws {
    let network = try randomNetwork(.tiny)
    var random = Philox(seed: 1)
    let x = random.normal(shape: [2, 3, 16, 24])
    var seen: [Int: Tensor] = [:]
    let out = network(x, timesteps: [3, 500]) { place, activation in
      if case .outputBlock(let index) = place { seen[index] = activation }
    }
    #expect(out.shape == [2, 6, 16, 24])
    let found = network.activations(x, timesteps: [3, 500], outputBlocks: [2, 0])
    #expect(found == [seen[2]!, seen[0]!])
    #expect(found[1].shape == [2, 8, 12, 64])
  }

  /// A sample's result does not depend on what else is in the batch, up to rounding.
  @Test func samplesOfABatchAreIndependent() throws {
    let network = try randomNetwork(.tiny)
    var random = Philox(seed: 2)
    let x = random.normal(shape: [3, 3, 16, 16])
    let together = network(x, timesteps: [0, 10, 999])
    for (index, t) in [Float(0), 10, 999].enumerated() {
      let alone = network(x.slice(index).reshaped([1, 3, 16, 16]), timesteps: [t])
      expectClose(alone, NaiveTensor(together.slice(index).reshaped([1, 6, 16, 16])), absolute: 1e-4)
    }
  }

  @Test func classesChangeTheResult() throws {
    var configuration = UNetConfiguration.tiny
    configuration.classCount = 4
    let network = try randomNetwork(configuration)
    let x = Tensor(repeating: 0.5, shape: [1, 3, 8, 8])
    #expect(network(x, timesteps: [1], classes: [0]) != network(x, timesteps: [1], classes: [3]))
  }

  @Test func everyMisfitIsNamed() throws {
    var tensors = try randomNetworkTensors(.tiny)
    let gone = tensors.remove(at: 20).name
    let wrong = tensors[7].name
    tensors[7] = NamedArray(name: wrong, array: NumericArray(Tensor(zeros: [5, 5])))
    tensors.append(NamedArray(name: "stranger.weight", array: NumericArray(Tensor(zeros: [1]))))
    let error = #expect(throws: DataError.self) {
      try UNet(.tiny, weights: WeightScope(StateDictionary(tensors, file: "broken.pt")))
    }
    let text = error?.description ?? ""
    for name in [gone, wrong, "stranger.weight", "broken.pt", "[5, 5]"] { #expect(text.contains(name)) }
  }
}
