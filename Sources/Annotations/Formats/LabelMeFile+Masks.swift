import Base
import Foundation
import Images

extension LabelMeFile {
  /// A shape of type mask: the pixels from its first point to its second, both of them included, as a PNG file in base64
  /// (`shapes_to_label` of labelme).
  /// - Parameter size: of the picture, where the file tells it
  static func patch(
    _ text: String?, _ points: [Point], _ size: (width: Int, height: Int)?, _ path: String, _ item: String
  ) throws(DataError) -> MaskPatch {
    guard points.count == 2, points.allSatisfy(\.isUsable) else {
      throw DataError(
        .malformed, file: path, item: "\(item).points", expected: "2 points of a mask within the picture",
        found: points.count == 2
          ? "(\(points[0].x), \(points[0].y)), (\(points[1].x), \(points[1].y))" : "\(points.count)")
    }
    // labelme drops fractions.
    let (left, top) = (Int(points[0].x), Int(points[0].y))
    let (width, height) = (Int(points[1].x) - left + 1, Int(points[1].y) - top + 1)
    if let size, width > size.width || height > size.height {
      throw DataError(
        .malformed, file: path, item: "\(item).points",
        expected: "a mask no larger than the picture, \(size.width)×\(size.height)",
        found: "\(width)×\(height)")
    }
    guard let text, let data = Data(base64Encoded: text), data.starts(with: [0x89, 0x50, 0x4E, 0x47])
    else {
      throw DataError(
        .malformed, file: path, item: "\(item).mask", expected: "a PNG file in base64",
        found: text == nil ? "nothing" : "something else")
    }
    // A few bytes may be packed for a large picture, so its size counts before they are unpacked.
    try check(Self.size(ofPNG: data), width, height, path, item)
    let mask: LabelMask
    do throws(DataError) {
      mask = try LabelMask(decoding: Array(data), name: path)
    } catch {
      var error = error
      error.item = "\(item).mask" + (error.item.isEmpty ? "" : ": \(error.item)")
      throw error
    }
    try check((mask.width, mask.height), width, height, path, item)
    return try MaskPatch(mask, left: left, top: top, file: path, item: "\(item).mask")
  }

  private static func check(
    _ found: (width: Int, height: Int), _ width: Int, _ height: Int, _ path: String, _ item: String
  ) throws(DataError) {
    guard found == (width, height) else {
      throw DataError(
        .malformed, file: path, item: "\(item).mask",
        expected: "\(width)×\(height) pixels, as its points say",
        found: "\(found.width)×\(found.height)")
    }
  }

  /// As its first chunk says, which is the header.
  private static func size(ofPNG data: Data) -> (width: Int, height: Int) {
    func number(_ offset: Int) -> Int { data.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | Int($1) } }
    return (number(16), number(20))
  }
}
