import Checkpoints
import Foundation
import Testing

/// The cases of the known answers that concern file formats.
private struct GoldenCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let json: Data

  private var fields: [String: Any] {
    (try? JSONSerialization.jsonObject(with: json)) as? [String: Any] ?? [:]
  }
  var parameters: [String: Any] { fields["parameters"] as? [String: Any] ?? [:] }
  var outputs: [String: [String: Any]] { fields["outputs"] as? [String: [String: Any]] ?? [:] }

  static func all(_ operation: String) -> [GoldenCase] {
    guard let data = try? Data(contentsOf: Golden.folder.appending(path: "manifest.json")),
      let manifest = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let cases = manifest["cases"] as? [[String: Any]]
    else { return [] }
    return cases.filter { $0["op"] as? String == operation }.compactMap { item in
      guard let id = item["id"] as? String, let json = try? JSONSerialization.data(withJSONObject: item)
      else {
        return nil
      }
      return GoldenCase(testDescription: id, json: json)
    }
  }

  /// Compares doubles and shape with an expected tensor, within its limits.
  func check(_ doubles: [Double], shape: [Int]?, against output: String) throws {
    let expected = try #require(outputs[output], "\(output)")
    let file = try Checkpoint(contentsOf: Golden.path(try #require(expected["file"] as? String)))
    let array = try file.array(named: try #require(expected["tensor"] as? String))
    if let shape { #expect(shape == expected["shape"] as? [Int], "\(output)") }
    let absolute = expected["compare"] as? String == "exact" ? 0 : expected["atol"] as? Double ?? 0
    let relative = expected["rtol"] as? Double ?? 0
    let values = array.doubles()
    try #require(values.count == doubles.count, "\(output)")
    let wrong = zip(doubles, values).filter { !(abs($0 - $1) <= absolute + relative * abs($1)) }
    #expect(wrong.count == 0, "\(output): \(wrong.prefix(3))")
  }
}

@Suite("Known answers of the file formats")
struct GoldenFileTests {
  @Test(
    "checkpoints give all paths, tensors and values", arguments: GoldenCase.all("read_checkpoint_tensors"))
  private func checkpoint(golden: GoldenCase) throws {
    let file = try #require(golden.parameters["file"] as? String)
    let checkpoint = try Checkpoint(contentsOf: Golden.path(file))
    let paths = try #require(golden.outputs["paths"]?["value"] as? [String])
    #expect(checkpoint.entries.map(\.path) == paths)
    for path in paths {
      switch try #require(checkpoint[path]) {
      case .tensor(let array):
        try golden.check(array.doubles(), shape: array.shape, against: "tensor:\(path)")
        try golden.check(
          array.tensor().elements.map(Double.init), shape: array.shape, against: "tensor:\(path)")
      case let value:
        let expected = golden.outputs["value:\(path)"]?["value"]
        switch value {
        case .integer(let number): #expect(expected as? Int == number, "\(path)")
        case .double(let number): #expect(expected as? Double == number, "\(path)")
        case .string(let text): #expect(expected as? String == text, "\(path)")
        case .bool(let flag): #expect(expected as? Bool == flag, "\(path)")
        case .none: #expect(expected is NSNull, "\(path)")
        default: Issue.record("\(path) is no plain value")
        }
      }
    }
  }

  @Test(
    "network weights have names, shapes, types and statistics",
    arguments: GoldenCase.all("checkpoint_tensors"))
  private func network(golden: GoldenCase) throws {
    let description = try #require(golden.parameters["checkpoint"] as? [String: Any])
    let checkpoint = try Checkpoint(contentsOf: Golden.path(try #require(description["file"] as? String)))
    let tensors = checkpoint.tensors
    #expect(tensors.map(\.name) == golden.outputs["names"]?["value"] as? [String])
    #expect(tensors.map(\.array.shape) == golden.outputs["shapes"]?["value"] as? [[Int]])
    #expect(tensors.map(\.array.elementType.rawValue) == golden.outputs["dtypes"]?["value"] as? [String])
    let values = tensors.map { $0.array.doubles() }
    try golden.check(values.map { $0.reduce(0, +) }, shape: nil, against: "sum")
    try golden.check(values.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }, shape: nil, against: "l2")
    try golden.check(values.map { $0.first ?? 0 }, shape: nil, against: "first")
    try golden.check(values.map { $0.last ?? 0 }, shape: nil, against: "last")
    let weighted = values.map { values in
      values.enumerated().reduce(0) { $0 + $1.element * Double($1.offset + 1) / Double(values.count) }
    }
    try golden.check(weighted, shape: nil, against: "position_weighted_sum")
  }

  @Test("arrays have the right elements, type and order", arguments: GoldenCase.all("read_npy"))
  private func numpy(golden: GoldenCase) throws {
    let path = Golden.path(try #require(golden.parameters["file"] as? String))
    guard path.hasSuffix(".npz") else {
      let file = try NpyFile(contentsOf: path)
      // A scalar array is listed with one dimension in the known answers.
      let shape = file.array.shape.isEmpty ? [1] : file.array.shape
      try golden.check(file.array.doubles(), shape: shape, against: "array")
      #expect(file.array.elementType.rawValue == golden.outputs["dtype"]?["value"] as? String)
      #expect(file.isFortranOrder == golden.outputs["fortran_order"]?["value"] as? Bool)
      return
    }
    let file = try NpzFile(contentsOf: path)
    #expect(file.names == golden.outputs["names"]?["value"] as? [String])
    for name in file.names {
      let array = try file.array(named: name)
      try golden.check(array.doubles(), shape: array.shape, against: name)
    }
  }

  @Test(
    "classifier checkpoints open as plain state dictionaries",
    arguments: ["classifier_15", "classifier_30", "model_0", "model_1", "model_2"])
  func classifiers(name: String) throws {
    let state = try StateDictionary(contentsOf: Golden.path("seg_models/\(name).pth"))
    #expect(state.prefix == "model_state_dict/module.")
    #expect(state["layers.0.weight"]?.shape.count == 2)
    #expect(state.tensors.allSatisfy { !$0.name.hasPrefix("module.") })
  }
}
