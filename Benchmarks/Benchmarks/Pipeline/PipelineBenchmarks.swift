import Benchmark
import DiffusionCore
import DiffusionSegmentation
import Foundation
import Workloads

nonisolated(unsafe) let benchmarks = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .peakMemoryResident], warmupIterations: 1, maxDuration: .seconds(5),
    maxIterations: 100)

  for batch in [1, 8] {
    measure("Small U-Net, batch \(batch)") {
      try Forward(.small64, batch: batch)
    } run: {
      $0()
    }
  }
  measure("LSUN-256 U-Net, batch 1", longest: .seconds(30)) {
    try Forward(.lsun256, batch: 1)
  } run: {
    $0()
  }
  measure("Features of a 256-pixel picture, 3 steps, 5 blocks", longest: .seconds(30)) {
    try SegmentationJob(Network.lsun256.randomBackbone(seed: 1), side: 256)
  } run: {
    try $0.extract()
  }
  measure("Ten members 8448-128-32-21 on 65,536 pixels") {
    try EnsembleHead(members: 10)
  } run: {
    try $0()
  }
  measure("128 training iterations of one member, 8448 features, batch 64") {
    try ClassifierTraining(iterations: 128)
  } run: {
    try $0.trainMember(epochs: 1).losses
  }
  measure("128 training iterations of ten members, 8448 features, batch 64", longest: .seconds(30)) {
    try ClassifierTraining(iterations: 128)
  } run: {
    try $0.trainMembers(10)
  }
  measure("Training step of a U-Net of 64 pixels and 32 channels, batch 16", longest: .seconds(15)) {
    try DiffusionTraining(.small32, batch: 16)
  } run: {
    try $0.step()
  }
  measure("Reading a checkpoint of 2.2 GB", longest: .seconds(10)) {
    try lsunCheckpoint()
  } run: {
    try $0()
  }
  measure("LSUN-256 U-Net from a checkpoint of 2.2 GB", longest: .seconds(20)) {
    try lsunCheckpoint()
  } run: {
    try DiffusionBackbone(checkpoint: $0.path)
  }
}

/// Registers a piece of work. What it needs is made once, before anything is timed; errors end the run.
private func measure<State, Output>(
  _ name: String, longest: Duration? = nil, prepare: @escaping () throws -> State,
  run: @escaping (State) throws -> Output
) {
  var configuration = Benchmark.defaultConfiguration
  if let longest { configuration.maxDuration = longest }
  Benchmark(
    name, configuration: configuration,
    closure: { (benchmark, state: State) throws -> Void in
      for _ in benchmark.scaledIterations { blackHole(try run(state)) }
    }, setup: prepare)
}

/// A checkpoint in a temporary folder, written once for all runs.
private func lsunCheckpoint() throws -> CheckpointReading {
  let path = FileManager.default.temporaryDirectory.appending(path: "dseg-benchmark-lsun256.safetensors").path
  if !FileManager.default.fileExists(atPath: path) {
    try Network.lsun256.writeCheckpoint(to: path, seed: 1)
  }
  return CheckpointReading(path: path)
}
