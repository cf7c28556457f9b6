import Annotations
import Base
import Foundation
import Images

extension ClassList {
  /// What CVAT calls the list of classes and colours in exports of the forms "Segmentation mask" and "Pascal VOC".
  static let labelMapName = "labelmap.txt"

  /// The path of CVAT's list of classes, `labelmap.txt`, where there is one.
  /// - Parameters:
  ///   - directory: folder of the pictures, or of the data set, which may have it
  ///   - labels: folder of the labels, which may have it, as may the folder above
  public static func labelMapPath(in directory: String, labels: String?) -> String? {
    let folders = [directory] + (labels.map { [$0, ($0 as NSString).deletingLastPathComponent] } ?? [])
    return folders.map { ($0 as NSString).appendingPathComponent(labelMapName) }.first {
      FileManager.default.fileExists(atPath: $0) && !DatasetListing.isFolder($0)
    }
  }

  /// Reads CVAT's list: a class a line, `name:red,green,blue:parts:actions`, of which only the first is needed; `#` begins
  /// a comment. The line's place is the label. A class without a colour has that of Pascal VOC.
  /// - Throws: `DataError` naming the line that is wrong.
  static func labelMap(_ path: String) throws(DataError) -> ClassList {
    let file = try MappedFile(path: path)
    func refuse(_ line: Int, _ expected: String, _ found: some StringProtocol) -> DataError {
      DataError(
        .malformed, file: path, item: "line \(line + 1)", expected: expected, found: "\"\(found.prefix(60))\""
      )
    }
    var (names, colors) = ([String](), [RGB]())
    // No list of 255 classes is longer, and other files may be.
    let text = String(decoding: file.bytes.prefix(1 << 20), as: UTF8.self)
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let content = line.trimmingCharacters(in: .whitespaces)
      if content.isEmpty || content.hasPrefix("#") { continue }
      let parts = content.split(separator: ":", omittingEmptySubsequences: false)
      let name = parts[0].trimmingCharacters(in: .whitespaces)
      guard !name.isEmpty, !names.contains(name) else {
        throw refuse(number, "name:red,green,blue:: with a name that no other line has", content)
      }
      guard names.count < 255 else { throw refuse(number, "at most 255 classes", content) }
      var color = PascalVOC.palette.colors[names.count]
      if parts.count > 1, !parts[1].isEmpty {
        let samples = parts[1].split(separator: ",", omittingEmptySubsequences: false).map {
          UInt8($0.trimmingCharacters(in: .whitespaces))
        }
        guard samples.count == 3, let red = samples[0], let green = samples[1], let blue = samples[2] else {
          throw refuse(number, "three numbers from 0 to 255", parts[1])
        }
        color = RGB(red, green, blue)
      }
      names.append(name)
      colors.append(color)
    }
    guard !names.isEmpty else {
      throw DataError(.malformed, file: path, expected: "lines like cell:128,0,0::", found: "none")
    }
    return ClassList(names: names, palette: Palette(colors: colors))
  }
}
