/// Numbers one after another, the low byte first.
struct LittleEndianBytes {
  private(set) var bytes: [UInt8] = []

  mutating func number(_ value: UInt64, _ size: Int) {
    for index in 0..<size { bytes.append(UInt8(value >> UInt64(8 * index) & 255)) }
  }
  mutating func short(_ value: Int) { number(UInt64(value), 2) }
  /// A place in the file.
  mutating func place(_ value: Int, _ isBig: Bool) { number(UInt64(value), isBig ? 8 : 4) }
  mutating func text(_ text: String) { bytes += text.utf8 }
}

/// A directory that is written, and the values that do not fit into its entries.
struct TIFFDirectoryBytes {
  private let isBig: Bool
  /// Where it begins in the file.
  private let position: Int
  private var entries: [(tag: Int, type: Int, count: Int, value: [UInt8])] = []

  init(isBig: Bool, position: Int) { (self.isBig, self.position) = (isBig, position) }

  private mutating func add(_ tag: Int, _ type: Int, _ values: [UInt64], size: Int) {
    var value = LittleEndianBytes()
    for number in values { value.number(number, size) }
    entries.append((tag, type, values.count, value.bytes))
  }

  mutating func shorts(_ tag: Int, _ values: [Int]) { add(tag, 3, values.map { UInt64($0) }, size: 2) }
  mutating func longs(_ tag: Int, _ values: [Int]) { add(tag, 4, values.map { UInt64($0) }, size: 4) }
  /// Places in the file, or numbers of bytes.
  mutating func places(_ tag: Int, _ values: [Int]) {
    add(tag, isBig ? 16 : 4, values.map { UInt64($0) }, size: isBig ? 8 : 4)
  }
  mutating func text(_ tag: Int, _ text: String) {
    entries.append((tag, 2, text.utf8.count + 1, Array(text.utf8) + [0]))
  }
  /// A number above 0, with as many digits as fit.
  mutating func rational(_ tag: Int, _ number: Double) {
    let scale = [1e6, 1e4, 1e2, 1].first { number * $0 < Double(UInt32.max) } ?? 1
    let value = min(max((number * scale).rounded(), 1), Double(UInt32.max))
    var bytes = LittleEndianBytes()
    bytes.number(UInt64(value), 4)
    bytes.number(UInt64(scale), 4)
    entries.append((tag, 5, 1, bytes.bytes))
  }

  /// The bytes, where among them the directory begins, and where the place of the next one belongs.
  func made() -> (bytes: [UInt8], directory: Int, link: Int) {
    let room = isBig ? 8 : 4
    var (values, places) = ([UInt8](), [Int]())
    let sorted = entries.sorted { $0.tag < $1.tag }
    for entry in sorted {
      places.append(position + values.count)
      if entry.value.count > room {
        values += entry.value
        if values.count % 2 == 1 { values.append(0) }
      }
    }
    var directory = LittleEndianBytes()
    directory.number(UInt64(sorted.count), isBig ? 8 : 2)
    for (entry, place) in zip(sorted, places) {
      directory.short(entry.tag)
      directory.short(entry.type)
      directory.number(UInt64(entry.count), room)
      if entry.value.count > room {
        directory.place(place, isBig)
      } else {
        for byte in entry.value + Array(repeating: 0, count: room - entry.value.count) {
          directory.number(UInt64(byte), 1)
        }
      }
    }
    let link = values.count + directory.bytes.count
    directory.place(0, isBig)
    return (values + directory.bytes, values.count, link)
  }
}
