import Foundation

/// A JSON object that answers with typed errors: file, key, expected type, found value.
package struct JSONObject {
  package let file: String
  /// Where it stands in the file, for messages; empty at the top.
  package let path: String
  private let values: [String: Any]

  /// The object that a file holds.
  /// - Throws: `DataError` when the file cannot be read or holds something else.
  package init(contentsOf path: String) throws(DataError) {
    let mapped = try MappedFile(path: path)
    guard mapped.bytes.count <= 16 << 20 else {
      throw DataError(
        .malformed, file: path, expected: "a JSON file of at most 16 MB", found: "\(mapped.bytes.count) bytes"
      )
    }
    try self.init(parsing: Data(mapped.bytes), file: path)
  }

  package init(parsing data: Data, file: String) throws(DataError) {
    let value: Any
    do {
      value = try JSONSerialization.jsonObject(with: data)
    } catch {
      throw DataError(
        .malformed, file: file, expected: "a JSON object", found: "no valid JSON (\(Self.reason(error)))")
    }
    guard let values = value as? [String: Any] else {
      throw DataError(.malformed, file: file, expected: "a JSON object", found: "another JSON value")
    }
    self.init(values: values, file: file, path: "")
  }

  private init(values: [String: Any], file: String, path: String) {
    self.values = values
    self.file = file
    self.path = path
  }

  private static func reason(_ error: any Error) -> String {
    (error as NSError).userInfo["NSDebugDescription"] as? String ?? error.localizedDescription
  }

  package func error(_ key: String, expected: String, found: String) -> DataError {
    DataError(
      .malformed, file: file, item: path.isEmpty ? key : "\(path).\(key)", expected: expected, found: found)
  }

  // MARK: Values

  package func string(_ key: String) throws(DataError) -> String {
    try required(key, "a string", try stringIfPresent(key))
  }

  package func stringIfPresent(_ key: String) throws(DataError) -> String? {
    guard let value = values[key] else { return nil }
    guard let string = value as? String else {
      throw error(key, expected: "a string", found: describe(value))
    }
    return string
  }

  package func integer(_ key: String) throws(DataError) -> Int {
    try required(key, "a whole number", try integerIfPresent(key))
  }

  package func integerIfPresent(_ key: String) throws(DataError) -> Int? {
    guard let value = values[key] else { return nil }
    return try integer(value, key)
  }

  package func integers(_ key: String) throws(DataError) -> [Int] {
    try required(key, "a list of whole numbers", try integersIfPresent(key))
  }

  package func integersIfPresent(_ key: String) throws(DataError) -> [Int]? {
    guard let value = values[key] else { return nil }
    guard let list = value as? [Any] else {
      throw error(key, expected: "a list of whole numbers", found: describe(value))
    }
    var integers: [Int] = []
    for (index, element) in list.enumerated() { integers.append(try integer(element, "\(key)[\(index)]")) }
    return integers
  }

  package func stringListsIfPresent(_ key: String) throws(DataError) -> [[String]]? {
    guard let value = values[key] else { return nil }
    guard let lists = value as? [[String]] else {
      throw error(key, expected: "a list of lists of strings", found: describe(value))
    }
    return lists
  }

  package func boolIfPresent(_ key: String) throws(DataError) -> Bool? {
    guard let value = values[key] else { return nil }
    guard let number = value as? NSNumber, isBoolean(number) else {
      throw error(key, expected: "true or false", found: describe(value))
    }
    return number.boolValue
  }

  package func object(_ key: String) throws(DataError) -> JSONObject {
    guard let value = values[key] else { throw error(key, expected: "an object", found: "nothing") }
    guard let object = value as? [String: Any] else {
      throw error(key, expected: "an object", found: describe(value))
    }
    return JSONObject(values: object, file: file, path: path.isEmpty ? key : "\(path).\(key)")
  }

  package func objects(_ key: String) throws(DataError) -> [JSONObject] {
    guard let value = values[key] else { throw error(key, expected: "a list of objects", found: "nothing") }
    guard let list = value as? [[String: Any]] else {
      throw error(key, expected: "a list of objects", found: describe(value))
    }
    return list.enumerated().map { index, values in
      JSONObject(values: values, file: file, path: (path.isEmpty ? key : "\(path).\(key)") + "[\(index)]")
    }
  }

  private func integer(_ value: Any, _ key: String) throws(DataError) -> Int {
    guard let number = value as? NSNumber, !isBoolean(number), let integer = Int(exactly: number.doubleValue)
    else {
      throw error(key, expected: "a whole number", found: describe(value))
    }
    return integer
  }

  private func required<Value>(_ key: String, _ expected: String, _ value: Value?) throws(DataError) -> Value
  {
    guard let value else { throw error(key, expected: expected, found: "nothing") }
    return value
  }

  /// JSON's `true` and 1 are both numbers to Foundation; only the stored type (`char` for truth values, which
  /// no JSON number is) tells them apart.
  private func isBoolean(_ number: NSNumber) -> Bool {
    number.objCType.pointee == CChar(UInt8(ascii: "c"))
  }

  private func describe(_ value: Any) -> String {
    switch value {
    case let number as NSNumber: isBoolean(number) ? "\(number.boolValue)" : "\(number)"
    case let string as String: "\"\(string.prefix(80))\""
    case is [Any]: "a list"
    case is [String: Any]: "an object"
    default: "null"
    }
  }
}
