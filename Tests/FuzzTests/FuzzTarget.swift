/// A kind of file that the program reads.
struct FuzzTarget {
  /// As the name of the file that is read ends.
  let ending: String
  /// Sound files.
  let seeds: [[UInt8]]
  let mutations: [Mutation]
  /// Reads a file and uses what it holds as the program does. Whatever is wrong with it is a `DataError`.
  let read: (_ path: String) throws -> Void

  /// All kinds by name.
  static let makers: [(name: String, make: @Sendable () throws -> FuzzTarget)] = [
    ("torch-zip", torchZip), ("torch-legacy", torchLegacy), ("safetensors", safetensors), ("npy", npy),
    ("npz", npz), ("png", png), ("jpeg", jpeg), ("tiff", tiff), ("mask", mask), ("segmenter", segmenter),
    ("training-state", trainingState), ("classes", classes), ("configuration", configuration),
    ("experiment-record", record), ("experiment-settings", settings), ("experiment-figures", figures),
    ("loss-log", lossLog), ("cvat", cvat), ("labelme", labelMe), ("coco", coco), ("geojson", geoJSON),
  ]

  static var names: [String] { makers.map(\.name) }

  static func named(_ name: String) throws -> FuzzTarget { try makers.first { $0.name == name }!.make() }
}
