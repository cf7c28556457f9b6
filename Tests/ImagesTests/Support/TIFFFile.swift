/// A TIFF file that is put together by hand, low bytes first, whatever its tags say.
struct TIFFFile {
  /// Types by their number in the file; all values of a tag have the same.
  enum Value {
    case short([Int])
    case long([Int])
  }
  /// Without those of strips, which `strips` gives.
  var tags: [Int: Value]
  var strips: [[UInt8]]
  /// Takes the place of where the next directory is.
  var next: Int?
  var isBig = false
  /// Changes of strips' places and sizes after they are known.
  var offsetShift = 0
  var byteCounts: [Int]?

  /// Grey samples of 8 bits in one strip.
  init(width: Int, height: Int, _ samples: [UInt8]) {
    tags = [
      256: .long([width]), 257: .long([height]), 258: .short([8]), 259: .short([1]), 262: .short([1]),
      277: .short([1]), 278: .long([height]),
    ]
    strips = [samples]
  }

  private static func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  var bytes: [UInt8] {
    let place = isBig ? 8 : 4
    var file: [UInt8] = Array("II".utf8) + (isBig ? [43, 0, 8, 0, 0, 0] : [42, 0])
    file += Array(repeating: 0, count: place)
    var offsets: [Int] = []
    for strip in strips {
      offsets.append(file.count + offsetShift)
      file += strip
      if file.count % 2 == 1 { file.append(0) }
    }
    var all = tags
    let isTiled = tags[322] != nil
    all[isTiled ? 324 : 273] = all[isTiled ? 324 : 273] ?? .long(offsets)
    all[isTiled ? 325 : 279] = all[isTiled ? 325 : 279] ?? .long(byteCounts ?? strips.map(\.count))
    var entries: [UInt8] = []
    for (tag, value) in all.sorted(by: { $0.key < $1.key }) {
      let (type, size, values) =
        switch value {
        case .short(let values): (3, 2, values)
        case .long(let values): (4, 4, values)
        }
      let content = values.flatMap { Self.number($0, size) }
      entries += Self.number(tag, 2) + Self.number(type, 2) + Self.number(values.count, place)
      if content.count <= place {
        entries += content + Array(repeating: 0, count: place - content.count)
      } else {
        entries += Self.number(file.count, place)
        file += content
      }
    }
    let directory = file.count
    file.replaceSubrange(place..<2 * place, with: Self.number(directory, place))
    file += Self.number(all.count, isBig ? 8 : 2) + entries
    return file + Self.number(next ?? 0, place)
  }

  /// Where the only directory begins.
  var directoryOffset: Int {
    let bytes = bytes
    return (0..<(isBig ? 8 : 4)).reduce(0) { $0 | Int(bytes[(isBig ? 8 : 4) + $1]) << (8 * $1) }
  }
}
