// swift-tools-version: 6.2
import PackageDescription

// A package of its own, as a user's project would be.
let package = Package(
  name: "Examples",
  dependencies: [.package(name: "DiffusionSegmentation", path: "..")],
  targets: [
    // The code of the README and of the documentation's articles.
    .executableTarget(
      name: "getting-started",
      dependencies: [.product(name: "DiffusionSegmentation", package: "DiffusionSegmentation")]),
    .target(
      name: "Guides",
      dependencies: [
        .product(name: "DiffusionSegmentation", package: "DiffusionSegmentation"),
        .product(name: "TensorCore", package: "DiffusionSegmentation"),
      ]),
    .executableTarget(
      name: "segment",
      dependencies: [.product(name: "DiffusionSegmentation", package: "DiffusionSegmentation")]),
    .executableTarget(
      name: "random-checkpoint",
      dependencies: [.product(name: "DiffusionSegmentation", package: "DiffusionSegmentation")]),
  ],
  swiftLanguageModes: [.v6]
)
