// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never fetch what only measurements need.
let library = Target.Dependency.product(name: "DiffusionSegmentation", package: "DiffusionSegmentation")
let benchmark = Target.Dependency.product(name: "Benchmark", package: "benchmark")
let benchmarkPlugin = Target.PluginUsage.plugin(name: "BenchmarkPlugin", package: "benchmark")

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "DiffusionSegmentation", path: ".."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    // All that is timed.
    .target(name: "Workloads", dependencies: [library]),
    // `swift package benchmark`
    .executableTarget(
      name: "Kernels", dependencies: ["Workloads", library, benchmark], path: "Benchmarks/Kernels",
      plugins: [benchmarkPlugin]),
    .executableTarget(
      name: "Pipeline", dependencies: ["Workloads", library, benchmark], path: "Benchmarks/Pipeline",
      plugins: [benchmarkPlugin]),
    // Our side of `peers/compare`.
    .executableTarget(name: "contender", dependencies: ["Workloads", "CCeilings", library]),
    // What the processor and its memory can do at most.
    .target(name: "CCeilings"),
  ],
  swiftLanguageModes: [.v6]
)
