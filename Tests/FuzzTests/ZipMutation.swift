/// Changes of a zip archive: fields of its headers, and the content of an entry with checksums and sizes that fit.
struct ZipMutation {
  /// What is done to the content of an entry of this name.
  let content: @Sendable (_ name: String) -> Mutation

  var all: [Mutation] { [entry, entry, entry, field, field, ByteMutation.any] }

  private static let signatures: [(bytes: [UInt8], size: Int)] = [
    ([0x50, 0x4B, 3, 4], 30), ([0x50, 0x4B, 1, 2], 46), ([0x50, 0x4B, 5, 6], 22), ([0x50, 0x4B, 6, 6], 56),
    ([0x50, 0x4B, 6, 7], 20), ([0x50, 0x4B, 7, 8], 16),
  ]

  /// A field of a header.
  private func field(_ bytes: inout [UInt8], _ dice: inout Dice) {
    var headers: [Range<Int>] = []
    for place in bytes.indices.dropLast(4) where bytes[place] == 0x50 && bytes[place + 1] == 0x4B {
      guard let found = Self.signatures.first(where: { bytes[place...].starts(with: $0.bytes) }) else {
        continue
      }
      headers.append(place..<min(bytes.count, place + found.size))
    }
    guard !headers.isEmpty else { return }
    let header = dice.pick(headers)
    let size = dice.pick([2, 4])
    guard header.count > size + 4 else { return }
    let place = header.lowerBound + 4 + dice.below(header.count - 4 - size) / 2 * 2
    ByteMutation.put(dice.number(), size: size, isBig: false, at: place, in: &bytes)
  }

  private struct Entry {
    var name: [UInt8]
    var content: [UInt8]
  }

  /// The entries that are stored without compression.
  private static func entries(_ bytes: [UInt8]) -> [Entry]? {
    func number(_ place: Int, _ size: Int) -> Int {
      ByteMutation.number(size: size, isBig: false, at: place, in: bytes)
    }
    guard let end = bytes.indices.dropLast(21).last(where: { bytes[$0...].starts(with: [0x50, 0x4B, 5, 6]) })
    else { return nil }
    var (entries, place): ([Entry], Int) = ([], number(end + 16, 4))
    for _ in 0..<number(end + 10, 2) {
      let (method, size, nameCount) = (number(place + 10, 2), number(place + 20, 4), number(place + 28, 2))
      let local = number(place + 42, 4)
      let start = local + 30 + number(local + 26, 2) + number(local + 28, 2)
      guard method == 0, place + 46 + nameCount <= bytes.count, start >= 0, start <= bytes.count,
        size <= bytes.count - start
      else { return nil }
      entries.append(
        Entry(
          name: Array(bytes[place + 46..<place + 46 + nameCount]), content: Array(bytes[start..<start + size])
        ))
      place += 46 + nameCount + number(place + 30, 2) + number(place + 32, 2)
    }
    return entries
  }

  /// The content or the name of an entry, in an archive that is sound apart from that.
  private func entry(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard var entries = Self.entries(bytes), !entries.isEmpty else { return field(&bytes, &dice) }
    // The one that tells what the others are is the first.
    let index = dice.chance(0.6) ? 0 : dice.below(entries.count)
    switch dice.below(10) {
    case 0: ByteMutation.any(&entries[index].name, &dice)
    case 1: entries.append(entries[index])
    case 2: entries.remove(at: index)
    case 3: entries.swapAt(index, dice.below(entries.count))
    default:
      content(String(decoding: entries[index].name, as: UTF8.self))(&entries[index].content, &dice)
    }
    bytes = Self.archive(entries)
  }

  private static func archive(_ entries: [Entry]) -> [UInt8] {
    func little(_ number: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    for entry in entries {
      let sizes =
        little(Int(Checksum.crc32(entry.content)), 4) + little(entry.content.count, 4)
        + little(entry.content.count, 4)
      let common = [20, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sizes + little(entry.name.count, 2) + [0, 0]
      directory += [0x50, 0x4B, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 10)
      directory += little(file.count, 4) + entry.name
      file += [0x50, 0x4B, 3, 4] + common + entry.name + entry.content
    }
    let end =
      [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + little(entries.count, 2) + little(entries.count, 2)
      + little(directory.count, 4) + little(file.count, 4) + [0, 0]
    return file + directory + end
  }
}

/// Sums that files carry.
enum Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    var sum = UInt32(byte)
    for _ in 0..<8 { sum = sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
    return sum
  }

  /// Of zip archives and PNG chunks.
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
  }

  /// Of zlib streams.
  static func adler32(_ bytes: [UInt8]) -> UInt32 {
    let sums = bytes.reduce((UInt32(1), UInt32(0))) { sums, byte in
      let a = (sums.0 + UInt32(byte)) % 65_521
      return (a, (sums.1 + a) % 65_521)
    }
    return sums.1 << 16 | sums.0
  }
}
