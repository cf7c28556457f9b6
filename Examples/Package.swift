// swift-tools-version: 6.2
import PackageDescription

// A package of its own, as a user's project would be.
let package = Package(
  name: "Examples",
  dependencies: [.package(name: "DiffusionSegmentation", path: "..")],
  targets: [
    .executableTarget(
      name: "segment",
      dependencies: [.product(name: "DiffusionSegmentation", package: "DiffusionSegmentation")]),
    .executableTarget(
      name: "random-checkpoint",
      dependencies: [.product(name: "DiffusionSegmentation", package: "DiffusionSegmentation")]),
  ],
  swiftLanguageModes: [.v6]
)
