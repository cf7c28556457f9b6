/// Changes of PNG files: whole chunks, with the checksums that belong to them.
enum PNGMutation {
  static let all: [Mutation] = [content, content, header, order, extra, pixels, ByteMutation.any]

  typealias Chunk = (name: [UInt8], content: [UInt8])

  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  private static func chunks(_ bytes: [UInt8]) -> [Chunk]? {
    guard bytes.starts(with: signature) else { return nil }
    var (chunks, place): ([Chunk], Int) = ([], 8)
    while place + 12 <= bytes.count {
      let count = ByteMutation.number(size: 4, isBig: true, at: place, in: bytes)
      guard place + 12 + count <= bytes.count else { return nil }
      chunks.append((Array(bytes[place + 4..<place + 8]), Array(bytes[place + 8..<place + 8 + count])))
      place += 12 + count
    }
    return chunks
  }

  static func big(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  static func file(_ chunks: [Chunk]) -> [UInt8] {
    signature
      + chunks.flatMap {
        big($0.content.count) + $0.name + $0.content + big(Int(Checksum.crc32($0.name + $0.content)))
      }
  }

  /// A zlib stream that only stores.
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var (stream, rest): ([UInt8], ArraySlice<UInt8>) = ([0x78, 1], bytes[...])
    repeat {
      let part = rest.prefix(65_535)
      rest = rest.dropFirst(part.count)
      let (low, high) = (UInt8(part.count & 255), UInt8(part.count >> 8))
      stream += [rest.isEmpty ? 1 : 0, low, high, ~low, ~high] + part
    } while !rest.isEmpty
    return stream + big(Int(Checksum.adler32(bytes)))
  }

  private static func change(
    _ bytes: inout [UInt8], _ dice: inout Dice, _ body: (inout [Chunk], inout Dice) -> Void
  ) {
    guard var chunks = chunks(bytes), !chunks.isEmpty else { return ByteMutation.any(&bytes, &dice) }
    body(&chunks, &dice)
    bytes = file(chunks)
  }

  static func content(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { chunks, dice in
      ByteMutation.any(&chunks[dice.below(chunks.count)].content, &dice)
    }
  }

  /// Size, depth, kind of colour, interlacing.
  static func header(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { chunks, dice in
      guard chunks[0].content.count == 13 else { return }
      if dice.chance(0.4) {
        ByteMutation.put(dice.number(), size: 4, isBig: true, at: dice.pick([0, 4]), in: &chunks[0].content)
      } else {
        chunks[0].content[8 + dice.below(5)] = dice.pick([0, 1, 2, 3, 4, 6, 7, 8, 16, 255])
      }
    }
  }

  static func order(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { chunks, dice in
      let index = dice.below(chunks.count)
      switch dice.below(4) {
      case 0: chunks.swapAt(index, dice.below(chunks.count))
      case 1: chunks.remove(at: index)
      case 2: chunks.insert(chunks[index], at: dice.below(chunks.count + 1))
      default: ByteMutation.any(&chunks[index].name, &dice)
      }
    }
  }

  /// A chunk that was not there.
  static func extra(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { chunks, dice in
      let names = [
        "PLTE", "tRNS", "eXIf", "iCCP", "gAMA", "sBIT", "tEXt", "zTXt", "iTXt", "acTL", "fcTL", "bKGD",
        "hIST", "IDAT",
      ]
      let name = dice.pick(names)
      let count = dice.pick([0, 1, 2, 3, 6, 30, 768, 769, 5000])
      var content = (0..<count).map { _ in dice.byte() }
      if name == "eXIf" { content = TIFF.orientation(dice.below(12), isBig: dice.chance(0.5)) }
      if name == "zTXt" || name == "iCCP" {
        content = Array("a\0\0".utf8) + stored([UInt8](repeating: 7, count: 100_000))
      }
      if dice.chance(0.5) { ByteMutation.any(&content, &dice) }
      chunks.insert((Array(name.utf8), content), at: dice.below(chunks.count + 1))
    }
  }

  /// Other data in a sound stream.
  static func pixels(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { chunks, dice in
      guard let index = chunks.firstIndex(where: { $0.name == Array("IDAT".utf8) }) else { return }
      let count = dice.pick([0, 1, 100, 1000, 300_000])
      let isZero = dice.chance(0.5)
      let data = (0..<count).map { _ in isZero ? 0 : dice.byte() % 6 }
      chunks[index].content = stored(data)
      // The window that the stream's head names.
      if dice.chance(0.3) { chunks[index].content[0] = dice.byte() }
    }
  }
}

/// Changes of JPEG files: whole segments between markers.
enum JPEGMutation {
  static let all: [Mutation] = [content, content, order, length, frame, extra, scan, ByteMutation.any]

  private typealias Segment = (marker: UInt8, content: [UInt8])

  /// The segments before the first scan, and all from there on.
  private static func parts(_ bytes: [UInt8]) -> (segments: [Segment], rest: [UInt8])? {
    guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
    var (segments, place): ([Segment], Int) = ([], 2)
    while place + 4 <= bytes.count, bytes[place] == 0xFF, bytes[place + 1] != 0xDA {
      let count = ByteMutation.number(size: 2, isBig: true, at: place + 2, in: bytes)
      guard count >= 2, place + 2 + count <= bytes.count else { return nil }
      segments.append((bytes[place + 1], Array(bytes[place + 4..<place + 2 + count])))
      place += 2 + count
    }
    return (segments, Array(bytes[place...]))
  }

  private static func change(
    _ bytes: inout [UInt8], _ dice: inout Dice, _ body: (inout [Segment], inout [UInt8], inout Dice) -> Void
  ) {
    guard var (segments, rest) = parts(bytes), !segments.isEmpty else {
      return ByteMutation.any(&bytes, &dice)
    }
    body(&segments, &rest, &dice)
    bytes = [0xFF, 0xD8]
    for segment in segments {
      let count = segment.content.count + 2
      bytes += [0xFF, segment.marker, UInt8(count >> 8 & 255), UInt8(count & 255)] + segment.content
    }
    bytes += rest
  }

  static func content(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { segments, _, dice in
      ByteMutation.any(&segments[dice.below(segments.count)].content, &dice)
    }
  }

  static func order(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { segments, _, dice in
      let index = dice.below(segments.count)
      switch dice.below(4) {
      case 0: segments.swapAt(index, dice.below(segments.count))
      case 1: segments.remove(at: index)
      case 2: segments.insert(segments[index], at: dice.below(segments.count + 1))
      default:
        segments[index].marker = dice.pick([
          0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xDB, 0xDD, 0xDC, 0xE1, 0xEE, 0xFE, 0x01,
        ])
      }
    }
  }

  /// The length of a segment, and nothing else.
  static func length(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let markers = bytes.indices.dropLast(4).filter {
      bytes[$0] == 0xFF && bytes[$0 + 1] >= 0xC0 && bytes[$0 + 1] != 0xFF
    }
    guard !markers.isEmpty else { return }
    ByteMutation.put(dice.number(), size: 2, isBig: true, at: dice.pick(markers) + 2, in: &bytes)
  }

  /// Size, components, sampling.
  static func frame(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { segments, _, dice in
      guard let index = segments.firstIndex(where: { (0xC0...0xC2).contains($0.marker) }) else { return }
      guard !segments[index].content.isEmpty else { return }
      let place = dice.below(segments[index].content.count)
      segments[index].content[place] = dice.pick([0, 1, 2, 3, 4, 8, 0x11, 0x14, 0x21, 0x22, 0x41, 0x44, 0xFF])
    }
  }

  static func extra(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { segments, _, dice in
      var content =
        dice.chance(0.7)
        ? Array("Exif\0\0".utf8) + TIFF.orientation(dice.below(12), isBig: dice.chance(0.5))
        : (0..<dice.pick([0, 1, 2, 12, 14, 200])).map { _ in dice.byte() }
      if dice.chance(0.6) { ByteMutation.any(&content, &dice) }
      segments.insert(
        (dice.pick([0xE1, 0xE1, 0xE1, 0xEE, 0xE2, 0xDD]), content), at: dice.below(segments.count + 1))
    }
  }

  /// The entropy-coded data: markers put in, restarts, the end missing.
  static func scan(_ bytes: inout [UInt8], _ dice: inout Dice) {
    change(&bytes, &dice) { _, rest, dice in
      switch dice.below(3) {
      case 0:
        rest.insert(
          contentsOf: [0xFF, dice.pick([0xD0, 0xD7, 0xD9, 0xDA, 0xC4, 0x00, 0x01])],
          at: dice.below(rest.count + 1))
      case 1: rest += rest
      default: ByteMutation.any(&rest, &dice)
      }
    }
  }
}

/// The part of Exif data that says how a picture is turned.
enum TIFF {
  /// Another tag, type, count or value of an entry of the first directory.
  static func changeEntry(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard bytes.count > 16, bytes[0] == bytes[1] else { return }
    let isBig = bytes[0] == UInt8(ascii: "M")
    func number(_ size: Int, _ place: Int) -> Int {
      (0..<size).reduce(0) { $0 << 8 | Int(bytes[place + (isBig ? $1 : size - 1 - $1)]) }
    }
    let isWide = number(2, 2) == 43
    let start = number(4, isWide && isBig ? 12 : isWide ? 8 : 4)
    guard start + 8 < bytes.count else { return }
    let count = number(2, start + (isWide && isBig ? 6 : 0))
    guard count > 0 else { return }
    let entry = start + (isWide ? 8 : 2) + dice.below(min(count, 30)) * (isWide ? 20 : 12)
    let fields =
      isWide ? [(0, 2), (2, 2), (4, 8), (12, 8), (12, 2)] : [(0, 2), (2, 2), (4, 4), (8, 4), (8, 2)]
    let (offset, size) = dice.pick(fields)
    guard entry + offset + size <= bytes.count else { return }
    let value = dice.chance(0.5) ? UInt64(dice.below(40)) : dice.number()
    ByteMutation.put(value, size: size, isBig: isBig, at: entry + offset, in: &bytes)
  }

  static func orientation(_ value: Int, isBig: Bool) -> [UInt8] {
    func number(_ value: Int, _ size: Int) -> [UInt8] {
      let digits = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isBig ? digits.reversed() : digits
    }
    // Two entries of one directory: the width, then the orientation.
    return Array((isBig ? "MM" : "II").utf8) + number(42, 2) + number(8, 4) + number(2, 2)
      + number(0x0100, 2) + number(4, 2) + number(1, 4) + number(9, 4)
      + number(0x0112, 2) + number(3, 2) + number(1, 4) + number(value, 2) + [0, 0] + number(0, 4)
  }
}
