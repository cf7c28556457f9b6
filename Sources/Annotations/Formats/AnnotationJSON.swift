import Base
import Foundation

/// Reads JSON of any size into a value, in time proportional to its length.
/// - Throws: `DataError` of kind `.noInput`, or `.malformed` naming the item.
func decodeJSON<Value: Decodable>(_ type: Value.Type, contentsOf path: String) throws(DataError) -> Value {
  let file = try MappedFile(path: path)
  let data = Data(file.bytes)
  do throws(DataError) {
    return try decodeJSON(type, data, file: path)
  } catch {
    if isLabelStudio(data) {
      throw DataError(
        .unsupported, file: path,
        expected:
          "Label Studio's export \"COCO\" (polygons, rectangles), or of brush strokes \"Brush labels to PNG\" with the names of the pictures",
        found: "Label Studio's own JSON")
    }
    throw error
  }
}

/// Whether a file is a list of tasks as Label Studio has them ("JSON" and "JSON-MIN").
private func isLabelStudio(_ data: Data) -> Bool {
  struct Task: Decodable {
    private enum Key: String, CodingKey {
      case annotations, completions, data, result, annotator
      case leadTime = "lead_time"
    }

    init(from decoder: any Decoder) throws {
      let task = try decoder.container(keyedBy: Key.self)
      let isTask = task.contains(.data) && (task.contains(.annotations) || task.contains(.completions))
      guard isTask || task.contains(.result) || task.contains(.annotator) && task.contains(.leadTime) else {
        throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no task"))
      }
    }
  }
  if let tasks = try? JSONDecoder().decode([Task].self, from: data) { return !tasks.isEmpty }
  return (try? JSONDecoder().decode(Task.self, from: data)) != nil
}

func decodeJSON<Value: Decodable>(_ type: Value.Type, _ data: Data, file: String) throws(DataError) -> Value {
  func item(_ path: [any CodingKey]) -> String {
    path.reduce("") { text, key in
      if let index = key.intValue { return text + "[\(index)]" }
      return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
    }
  }
  do {
    return try JSONDecoder().decode(type, from: data)
  } catch let error as DataError {
    var error = error
    error.file = file
    throw error
  } catch DecodingError.keyNotFound(let key, let context) {
    throw DataError(
      .malformed, file: file, item: item(context.codingPath + [key]), expected: "a value", found: "nothing")
  } catch DecodingError.typeMismatch(let type, let context) {
    throw DataError(
      .malformed, file: file, item: item(context.codingPath), expected: "\(type)", found: "another JSON value"
    )
  } catch DecodingError.valueNotFound(let type, let context) {
    throw DataError(
      .malformed, file: file, item: item(context.codingPath), expected: "\(type)", found: "null")
  } catch DecodingError.dataCorrupted(let context) {
    throw DataError(
      .malformed, file: file, item: item(context.codingPath), expected: "valid JSON",
      found: context.debugDescription)
  } catch {
    throw DataError(.malformed, file: file, expected: "valid JSON", found: "\(error)")
  }
}

/// - Throws: `DataError` of kind `.writeFailed` or `.cannotCreate`.
func writeJSON(_ value: some Encodable, to path: String) throws(DataError) {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  guard let data = try? encoder.encode(value) else {
    throw DataError(.writeFailed, file: path, expected: "finite numbers", found: "others")
  }
  try AtomicFile.write(Array(data) + [UInt8(ascii: "\n")], to: path)
}

/// Paths of pictures as files of labels have them.
public enum PictureReference {
  /// The path of a picture named in a file, which must lie in a folder.
  /// - Parameters:
  ///   - name: as the file has it
  ///   - folder: path of the folder
  ///   - file: stands in messages
  ///   - item: the part of the file, for messages
  /// - Returns: a path that begins with `folder`
  /// - Throws: `DataError` of kind `.malformed` for a path from the root, one with `..`, or none.
  public static func path(
    _ name: String, in folder: String, file: String, item: String
  ) throws(DataError) -> String {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, !name.hasPrefix("/"), !name.hasPrefix("\\"), !name.utf8.contains(0),
      !parts.contains(".."), !name.split(separator: "\\").contains(".."), name.dropFirst().first != ":"
    else {
      throw DataError(
        .malformed, file: file, item: item, expected: "a picture's path inside the folder",
        found: "\"\(name.prefix(80))\"")
    }
    return (folder as NSString).appendingPathComponent(name)
  }
}
