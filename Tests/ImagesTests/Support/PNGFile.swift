/// Writes PNG files of any kind, sound or not, for tests. Deflate without compression.
struct PNGFile {
  enum ColorType: UInt8, CaseIterable {
    case grey = 0
    case rgb = 2
    case indexed = 3
    case greyAlpha = 4
    case rgba = 6

    var channels: Int {
      switch self {
      case .grey, .indexed: 1
      case .greyAlpha: 2
      case .rgb: 3
      case .rgba: 4
      }
    }

    var bitDepths: [Int] {
      switch self {
      case .grey: [1, 2, 4, 8, 16]
      case .indexed: [1, 2, 4, 8]
      case .rgb, .greyAlpha, .rgba: [8, 16]
      }
    }
  }

  var width: Int
  var height: Int
  var colorType = ColorType.rgb
  var bitDepth = 8
  var isInterlaced = false
  /// `[height, width, channels]`.
  var samples: [Int] = []
  /// Three bytes a colour.
  var palette: [UInt8] = []
  /// Bytes that are compressed after those of the picture.
  var surplus = 0
  /// Chunks to put before the data.
  var extraChunks: [(name: String, content: [UInt8])] = []
  /// Chunks to put after the data.
  var chunksAtEnd: [(name: String, content: [UInt8])] = []

  var bytes: [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += Self.chunk(
      "IHDR",
      Self.bigEndian(width) + Self.bigEndian(height)
        + [UInt8(bitDepth), colorType.rawValue, 0, 0, isInterlaced ? 1 : 0])
    if !palette.isEmpty { file += Self.chunk("PLTE", palette) }
    for extra in extraChunks { file += Self.chunk(extra.name, extra.content) }
    file += Self.chunk("IDAT", Self.zlib(scanlines + Array(repeating: 0, count: surplus)))
    for extra in chunksAtEnd { file += Self.chunk(extra.name, extra.content) }
    return file + Self.chunk("IEND", [])
  }

  /// All rows, each after a filter byte of 0; seven small pictures when interlaced (Adam7).
  private var scanlines: [UInt8] {
    typealias Pass = (x: Int, y: Int, stepX: Int, stepY: Int)
    let passes: [Pass] =
      isInterlaced
      ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
      : [(0, 0, 1, 1)]
    return passes.flatMap { pass in
      stride(from: pass.y, to: height, by: pass.stepY).flatMap { y -> [UInt8] in
        let columns = stride(from: pass.x, to: width, by: pass.stepX)
        let row = columns.flatMap { x in
          samples[(y * width + x) * colorType.channels..<(y * width + x + 1) * colorType.channels]
        }
        return row.isEmpty ? [] : [0] + packed(row)
      }
    }
  }

  private func packed(_ row: [Int]) -> [UInt8] {
    if bitDepth == 16 { return row.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
    let perByte = 8 / bitDepth
    return stride(from: 0, to: row.count, by: perByte).map { start in
      row[start..<min(start + perByte, row.count)].enumerated().reduce(0) { byte, sample in
        byte | UInt8(sample.element << (8 - bitDepth * (sample.offset + 1)))
      }
    }
  }

  static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return bigEndian(content.count) + body + bigEndian(Int(checksum(body)))
  }

  static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
  }

  /// Stored blocks of at most 65535 bytes, and the Adler-32 sum.
  static func zlib(_ content: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    var start = 0
    repeat {
      let end = min(start + 65_535, content.count)
      let size = end - start
      stream.append(end == content.count ? 1 : 0)
      stream += [UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8 & 255)]
      stream += content[start..<end]
      start = end
    } while start < content.count
    var (a, b) = (1, 0)
    for byte in content {
      a = (a + Int(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return stream + bigEndian(b << 16 | a)
  }

  /// CRC-32 of the PNG specification, annex D.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
    }
  }
}
