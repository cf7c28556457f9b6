// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never fetch what only measurements need.
let library: [Target.Dependency] = [
  "DiffusionSegmentation", "Backbones", "DiffusionCore", "Training", "PixelClassifier", "Augment", "Layers",
  "Features", "Checkpoints", "Images", "TensorCore", "Base",
].map { .product(name: $0, package: "DiffusionSegmentation") }
let benchmark = Target.Dependency.product(name: "Benchmark", package: "benchmark")
let benchmarkPlugin = Target.PluginUsage.plugin(name: "BenchmarkPlugin", package: "benchmark")

let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "DiffusionSegmentation", path: ".."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    // All that is timed.
    .target(name: "Workloads", dependencies: library),
    // `swift package benchmark`
    .executableTarget(
      name: "Kernels", dependencies: library + ["Workloads", benchmark], path: "Benchmarks/Kernels",
      plugins: [benchmarkPlugin]),
    .executableTarget(
      name: "Pipeline", dependencies: library + ["Workloads", benchmark], path: "Benchmarks/Pipeline",
      plugins: [benchmarkPlugin]),
    // Our side of `peers/compare`.
    .executableTarget(name: "contender", dependencies: library + ["Workloads", "CCeilings"]),
    // What the processor and its memory can do at most.
    .target(name: "CCeilings"),
  ],
  swiftLanguageModes: [.v6]
)
