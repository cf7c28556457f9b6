import Foundation

/// Writes figures as JSON that people can read and compare; the file is complete or not there.
/// - Throws: `DataError` of kind `.writeFailed` for a number that is not finite, or as `AtomicFile`.
package func writeFigures(_ figures: some Encodable, to path: String) throws(DataError) {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  guard let data = try? encoder.encode(figures) else {
    throw DataError(.writeFailed, file: path, expected: "finite figures", found: "others")
  }
  try AtomicFile.write(Array(data) + [UInt8(ascii: "\n")], to: path)
}
