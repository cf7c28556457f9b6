import TensorCore

extension Operations {
  /// Group A: the random numbers of PyTorch's CPU generator.
  static let randomNumbers: [String: Operation] = [
    "torch_randn": { known in
      var generator = try known.generator()
      return ["y": .tensor(generator.randn(shape: try known.parameters.ints("shape")))]
    },
    "torch_randn_sequence": { known in
      var generator = try known.generator()
      var answers: [String: Answer] = [:]
      for (index, shape) in try known.parameters.intLists("shapes").enumerated() {
        answers["y\(index)"] = .tensor(generator.randn(shape: shape))
      }
      return answers
    },
    "torch_randint": { known in
      var generator = try known.generator()
      let (low, high) = (try known.parameters.int("low"), try known.parameters.int("high"))
      guard low < high else { throw known.parameters.mismatch("high", "a number above low") }
      let count = try known.parameters.int("count")
      return ["y": .integers((0..<count).map { _ in generator.integer(in: low..<high) })]
    },
    "torch_randperm": { known in
      var generator = try known.generator()
      return ["y": .integers(generator.permutation(try known.parameters.int("count")))]
    },
    "mt19937_words": { known in
      var generator = try known.generator()
      let count = try known.parameters.int("count")
      return ["words": .integers((0..<count).map { _ in generator.nextWord() })]
    },
  ]
}

extension KnownCase {
  fileprivate func generator() throws -> TorchMT19937 { TorchMT19937(seed: try parameters.seed("seed")) }
}
