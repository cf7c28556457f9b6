// swift-tools-version: 6.2
import PackageDescription

/// For tests that take a whole pipeline.
let everything: [Target.Dependency] = [
  "Demo", "Experiments", "SyntheticScenes", "DiffusionSegmentation", "Backbones", "DiffusionCore", "Students",
  "Training", "PixelClassifier", "Augment", "Layers", "Features", "Checkpoints", "Annotations", "Images",
  "TensorCore",
  "Base",
]

let package = Package(
  name: "DiffusionSegmentation",
  products: [
    .executable(name: "dseg", targets: ["dseg"]),
    .library(name: "DiffusionSegmentation", targets: ["DiffusionSegmentation"]),
    .library(name: "Experiments", targets: ["Experiments"]),
    .library(name: "SyntheticScenes", targets: ["SyntheticScenes"]),
    .library(name: "Demo", targets: ["Demo"]),
    .library(name: "Backbones", targets: ["Backbones"]),
    .library(name: "DiffusionCore", targets: ["DiffusionCore"]),
    .library(name: "Students", targets: ["Students"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "PixelClassifier", targets: ["PixelClassifier"]),
    .library(name: "Augment", targets: ["Augment"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Features", targets: ["Features"]),
    .library(name: "Checkpoints", targets: ["Checkpoints"]),
    .library(name: "Annotations", targets: ["Annotations"]),
    .library(name: "Images", targets: ["Images"]),
    .library(name: "TensorCore", targets: ["TensorCore"]),
    .library(name: "Base", targets: ["Base"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // Arrows point down; see CONTRIBUTING.md.
    .executableTarget(
      name: "dseg",
      dependencies: [
        "Demo", "Experiments", "SyntheticScenes", "DiffusionSegmentation", "Backbones", "DiffusionCore",
        "Training", "PixelClassifier", "Augment", "Features", "Checkpoints", "Annotations", "Images",
        "TensorCore",
        "Base",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      packageAccess: false),
    // Apart, so that no user of the library carries the demo's diffusion model.
    .target(
      name: "Demo",
      dependencies: [
        "Experiments", "SyntheticScenes", "DiffusionSegmentation", "Backbones", "DiffusionCore",
        "PixelClassifier", "Augment", "Features", "Checkpoints", "Images", "TensorCore", "Base",
      ],
      resources: [.copy("Resources/scenes.safetensors")]),
    .target(
      name: "Experiments",
      dependencies: [
        "DiffusionSegmentation", "PixelClassifier", "Augment", "Features", "Checkpoints", "Images",
        "TensorCore", "Base",
      ]),
    .target(
      name: "SyntheticScenes", dependencies: ["DiffusionSegmentation", "Images", "TensorCore", "Base"]),
    .target(
      name: "DiffusionSegmentation",
      dependencies: [
        "Backbones", "DiffusionCore", "Training", "PixelClassifier", "Augment", "Layers", "Features",
        "Checkpoints", "Annotations", "Images", "TensorCore", "Base",
      ]),
    .target(
      name: "Backbones",
      dependencies: [
        "DiffusionCore", "Training", "Augment", "Layers", "Features", "Checkpoints", "Images", "TensorCore",
        "Base",
      ]),
    .target(
      name: "DiffusionCore",
      dependencies: ["Training", "Layers", "Features", "Checkpoints", "Images", "TensorCore", "Base"]),
    .target(
      name: "Students",
      dependencies: ["PixelClassifier", "Layers", "Checkpoints", "Images", "TensorCore", "Base"]),
    .target(name: "Training", dependencies: ["Layers", "Checkpoints", "Images", "TensorCore", "Base"]),
    .target(name: "PixelClassifier", dependencies: ["Features", "Checkpoints", "TensorCore", "Base"]),
    .target(name: "Augment", dependencies: ["Features", "Images", "TensorCore", "Base"]),
    .target(name: "Layers", dependencies: ["Checkpoints", "TensorCore", "Base"]),
    .target(name: "Features", dependencies: ["Checkpoints", "Images", "TensorCore", "CKernels", "Base"]),
    .target(name: "Checkpoints", dependencies: ["TensorCore", "Base", "CZlib"]),
    .target(name: "Annotations", dependencies: ["Images", "Base"]),
    .target(name: "Images", dependencies: ["TensorCore", "Base", "CPNG", "CJPEG", "CTIFF", "CZlib"]),
    .target(name: "TensorCore", dependencies: ["Base", "CBLAS", "CKernels"]),
    .target(name: "Base"),
    .target(name: "CKernels"),

    .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CTIFF", pkgConfig: "libtiff-4", providers: [.apt(["libtiff-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    .target(name: "TestSupport", dependencies: everything, path: "Tests/TestSupport"),
    .testTarget(name: "BaseTests", dependencies: ["Base", "TensorCore", "TestSupport"]),
    .testTarget(name: "TensorCoreTests", dependencies: ["TensorCore", "Base", "TestSupport"]),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints", "TensorCore", "Base", "TestSupport"]),
    .testTarget(name: "ImagesTests", dependencies: ["Images", "TensorCore", "Base", "TestSupport"]),
    .testTarget(
      name: "AnnotationsTests", dependencies: ["Annotations", "Images", "TensorCore", "Base", "TestSupport"]),
    .testTarget(name: "FeaturesTests", dependencies: ["Features", "TensorCore", "Base", "TestSupport"]),
    .testTarget(
      name: "LayersTests", dependencies: ["Layers", "Checkpoints", "TensorCore", "Base", "TestSupport"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Training", "Layers", "Checkpoints", "TensorCore", "Base", "TestSupport"]),
    .testTarget(
      name: "StudentsTests",
      dependencies: ["Students", "Layers", "Checkpoints", "Images", "TensorCore", "Base", "TestSupport"]),
    .testTarget(name: "BackbonesTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "DiffusionCoreTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "PixelClassifierTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "AugmentTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "DiffusionSegmentationTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "ExperimentsTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "SyntheticScenesTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "DemoTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "DsegTests", dependencies: everything + ["dseg", "TestSupport"]),
    .testTarget(name: "KnownAnswerTests", dependencies: everything),
    // Longer forms of both: Scripts/stress.sh, Scripts/fuzz.sh.
    .testTarget(name: "StressTests", dependencies: everything + ["TestSupport"]),
    .testTarget(name: "FuzzTests", dependencies: everything + ["TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)

// The tool that makes the documentation is fetched by those who make it alone: Scripts/documentation.sh.
if Context.environment["DSEG_DOCUMENTATION"] != nil {
  package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"))
}
