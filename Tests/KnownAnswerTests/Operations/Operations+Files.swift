import Checkpoints

extension Operations {
  /// Group D: file formats.
  static let files: [String: Operation] = [
    "read_npy": { known in
      let path = known.path(try known.parameters.string("file"))
      guard path.hasSuffix(".npz") else {
        let file = try NpyFile(contentsOf: path)
        return [
          "array": .numbers(file.array.doubles(), shape: file.array.shape.isEmpty ? [1] : file.array.shape),
          "dtype": .value(.string(file.array.elementType.rawValue)),
          "fortran_order": .bool(file.isFortranOrder),
        ]
      }
      let file = try NpzFile(contentsOf: path)
      var answers: [String: Answer] = ["names": .strings(file.names)]
      for name in file.names { answers[name] = .array(try file.array(named: name)) }
      return answers
    },
    "read_checkpoint_tensors": { known in
      let checkpoint = try Checkpoint(contentsOf: known.path(try known.parameters.string("file")))
      var answers: [String: Answer] = ["paths": .strings(checkpoint.entries.map(\.path))]
      for entry in checkpoint.entries {
        switch entry.value {
        case .tensor(let array): answers["tensor:\(entry.path)"] = .array(array)
        case .integer(let value): answers["value:\(entry.path)"] = .int(value)
        case .double(let value): answers["value:\(entry.path)"] = .value(.number(value))
        case .string(let value): answers["value:\(entry.path)"] = .value(.string(value))
        case .bool(let value): answers["value:\(entry.path)"] = .bool(value)
        case .none: answers["value:\(entry.path)"] = .value(.null)
        case .dictionary, .list, .opaque: break
        }
      }
      return answers
    },
  ]
}
