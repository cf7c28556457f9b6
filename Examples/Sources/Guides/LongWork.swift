// The code of the article LongWork; a test compares.

import DiffusionSegmentation
import TensorCore

func trainForTenMinutes(_ labelled: LabelledImages, _ features: any PixelFeatures) throws -> Segmenter {
  let end = ContinuousClock.now + .seconds(600)
  return try Segmenter.train(
    on: labelled, features: features
  ) { (progress) throws(DataError) in
    switch progress {
    case .features(let done, let count):
      print("features of \(done) of \(count) pictures")
    case .training(let training, let members):
      print("member \(training.member) of \(members): loss \(training.loss)")
    }
    if ContinuousClock.now > end {
      throw DataError(.cancelled, file: "training", found: "time is up")
    }
  }
}

func trainUntilCancelled(
  _ labelled: LabelledImages, _ features: any PixelFeatures
) async throws -> Segmenter? {
  let work = Task {
    try await Segmenter.train(on: labelled, features: features)
  }
  Task {
    try await Task.sleep(for: .seconds(600))
    work.cancel()
  }
  do {
    return try await work.value
  } catch let error as DataError where error.kind == .cancelled {
    return nil
  }
}

func sumOfSquares(_ rows: [[Float]]) throws(DataError) -> Float {
  var sum: Float = 0
  for row in rows {
    try Cancellation.check()
    sum += row.reduce(0) { $0 + $1 * $1 }
  }
  return sum
}

func evaluateInHalfAGigabyte(_ segmenter: Segmenter, _ test: LabelledImages) throws -> Evaluation {
  MemoryBudget.bytes = 4_000_000_000  // once, when the program starts

  let evaluation = try MemoryBudget.withBytes(500_000_000) {
    try segmenter.evaluate(on: test)
  }
  return evaluation
}

func limitThePool() {
  let pool = BufferPool.shared
  pool.keptLimit = 256 << 20
  print("\(pool.usedBytes) bytes in use, \(pool.keptBytes) kept")
  pool.drain()
}

func trainTwice(_ labelled: LabelledImages, _ features: any PixelFeatures) throws -> [Segmenter] {
  let options = SegmenterOptions(seed: 7)
  let one = try Threads.withCount(1) {
    try Segmenter.train(on: labelled, features: features, options: options)
  }
  let four = try Threads.withCount(4) {
    try Segmenter.train(on: labelled, features: features, options: options)
  }
  // The weights of both have the same bits.
  return [one, four]
}
