import TensorCore

extension Operations {
  /// Group A: the random numbers of PyTorch's CPU generator.
  static let randomNumbers: [String: Operation] = [
    "torch_randn": { known in
      var generator = TorchMT19937(seed: UInt64(try known.double("seed")))
      return ["y": .tensor(generator.randn(shape: try known.intList("shape")))]
    },
    "torch_randn_sequence": { known in
      var generator = TorchMT19937(seed: UInt64(try known.double("seed")))
      var answers: [String: Answer] = [:]
      for (index, shape) in known.parameters["shapes"]!.array!.enumerated() {
        answers["y\(index)"] = .tensor(generator.randn(shape: shape.array!.compactMap(\.int)))
      }
      return answers
    },
    "torch_randint": { known in
      var generator = TorchMT19937(seed: UInt64(try known.double("seed")))
      let range = try known.int("low")..<(try known.int("high"))
      return ["y": .integers((0..<(try known.int("count"))).map { _ in generator.integer(in: range) })]
    },
    "torch_randperm": { known in
      var generator = TorchMT19937(seed: UInt64(try known.double("seed")))
      return ["y": .integers(generator.permutation(try known.int("count")))]
    },
    "mt19937_words": { known in
      var generator = TorchMT19937(seed: UInt64(try known.double("seed")))
      return ["words": .integers((0..<(try known.int("count"))).map { _ in generator.nextWord() })]
    },
  ]
}
