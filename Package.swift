// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "DiffusionSegmentation",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "dseg", targets: ["dseg"]),
    .library(name: "DiffusionSegmentation", targets: ["DiffusionSegmentation"]),
    .library(name: "Demo", targets: ["Demo"]),
    .library(name: "DiffusionCore", targets: ["DiffusionCore"]),
    .library(name: "PixelClassifier", targets: ["PixelClassifier"]),
    .library(name: "Augment", targets: ["Augment"]),
    .library(name: "Checkpoints", targets: ["Checkpoints"]),
    .library(name: "Images", targets: ["Images"]),
    .library(name: "TensorCore", targets: ["TensorCore"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // Arrows point down; see CONTRIBUTING.md.
    .executableTarget(
      name: "dseg",
      dependencies: [
        "Demo", "DiffusionSegmentation", "TensorCore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // Apart, so that no user of the library carries the demo's diffusion model.
    .target(
      name: "Demo", dependencies: ["DiffusionSegmentation"],
      resources: [.copy("Resources/scenes.safetensors")]),
    .target(
      name: "DiffusionSegmentation",
      dependencies: [
        "DiffusionCore", "PixelClassifier", "Augment", "Checkpoints", "Images", "TensorCore",
      ]),
    .target(name: "DiffusionCore", dependencies: ["Checkpoints", "TensorCore"]),
    .target(name: "PixelClassifier", dependencies: ["Checkpoints", "TensorCore"]),
    .target(name: "Augment", dependencies: ["Images", "TensorCore"]),
    .target(name: "Checkpoints", dependencies: ["TensorCore", "CZlib"]),
    .target(name: "Images", dependencies: ["TensorCore", "CPNG", "CJPEG"]),
    .target(name: "TensorCore", dependencies: ["CBLAS", "CKernels"]),
    .target(name: "CKernels"),

    .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    .target(
      name: "TestSupport", dependencies: ["DiffusionSegmentation"],
      path: "Tests/TestSupport"),
    .testTarget(name: "TensorCoreTests", dependencies: ["TensorCore", "TestSupport"]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "TestSupport"]),
    .testTarget(name: "ImagesTests", dependencies: ["Images", "TestSupport"]),
    .testTarget(name: "DiffusionCoreTests", dependencies: ["DiffusionCore", "TestSupport"]),
    .testTarget(
      name: "PixelClassifierTests", dependencies: ["PixelClassifier", "Checkpoints", "TestSupport"]),
    .testTarget(
      name: "DiffusionSegmentationTests", dependencies: ["DiffusionSegmentation", "TestSupport"]),
    .testTarget(name: "DemoTests", dependencies: ["Demo", "DiffusionSegmentation", "TestSupport"]),
    .testTarget(name: "DsegTests", dependencies: ["dseg", "DiffusionSegmentation", "TestSupport"]),
    .testTarget(
      name: "KnownAnswerTests",
      dependencies: [
        "DiffusionSegmentation", "DiffusionCore", "Augment", "Checkpoints", "Images", "TensorCore",
      ]),
    .testTarget(name: "AugmentTests", dependencies: ["Augment", "TestSupport"]),
    // Longer forms of both: Scripts/stress.sh, Scripts/fuzz.sh.
    .testTarget(name: "StressTests", dependencies: ["DiffusionSegmentation", "TestSupport"]),
    .testTarget(name: "FuzzTests", dependencies: ["DiffusionSegmentation", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
