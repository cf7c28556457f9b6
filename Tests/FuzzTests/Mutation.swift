/// A change of a file. One that does not fit the file leaves it as it is.
typealias Mutation = @Sendable (_ bytes: inout [UInt8], _ dice: inout Dice) -> Void

/// Changes of bytes, whatever they mean.
enum ByteMutation {
  static let all: [Mutation] = [flipBit, setByte, setNumber, remove, insert, copy, swap, truncate, fill]

  /// One of them.
  static func any(_ bytes: inout [UInt8], _ dice: inout Dice) { dice.pick(all)(&bytes, &dice) }

  static func flipBit(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard !bytes.isEmpty else { return }
    bytes[dice.below(bytes.count)] ^= 1 << UInt8(dice.below(8))
  }

  static func setByte(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard !bytes.isEmpty else { return }
    bytes[dice.below(bytes.count)] =
      dice.chance(0.5) ? dice.byte() : dice.pick([0, 1, 0x7F, 0x80, 0xFE, 0xFF])
  }

  /// A number of 1, 2, 4 or 8 bytes, in either order.
  static func setNumber(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let size = dice.pick([1, 2, 4, 8])
    guard bytes.count >= size else { return }
    let isBig = dice.chance(0.5)
    put(dice.number(), size: size, isBig: isBig, at: dice.below(bytes.count - size + 1), in: &bytes)
  }

  static func remove(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let start = dice.below(bytes.count)
    bytes.removeSubrange(start..<start + dice.length(upTo: bytes.count - start))
  }

  static func insert(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let count = dice.length(upTo: 300)
    let new = (0..<count).map { _ in dice.byte() }
    bytes.insert(contentsOf: new, at: dice.below(bytes.count + 1))
  }

  /// A part put in again somewhere, once or many times.
  static func copy(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let start = dice.below(bytes.count)
    let part = Array(bytes[start..<start + dice.length(upTo: bytes.count - start)])
    guard !part.isEmpty else { return }
    let times = dice.chance(0.1) ? min(1000, 100_000 / part.count) : 1
    let place = dice.below(bytes.count + 1)
    bytes.insert(contentsOf: Array(repeating: part, count: times).joined(), at: place)
  }

  static func swap(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard bytes.count > 1 else { return }
    let count = min(dice.length(upTo: 64), bytes.count / 2)
    let (a, b) = (dice.below(bytes.count - count + 1), dice.below(bytes.count - count + 1))
    for index in 0..<count { bytes.swapAt(a + index, b + index) }
  }

  static func truncate(_ bytes: inout [UInt8], _ dice: inout Dice) {
    bytes.removeLast(bytes.count - dice.below(bytes.count + 1))
  }

  static func fill(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let start = dice.below(bytes.count)
    let value = dice.pick([0, 0xFF, UInt8(ascii: "["), UInt8(ascii: "("), dice.byte()])
    for index in start..<start + dice.length(upTo: bytes.count - start) { bytes[index] = value }
  }

  static func put(_ number: UInt64, size: Int, isBig: Bool, at place: Int, in bytes: inout [UInt8]) {
    for index in 0..<size {
      bytes[place + index] = UInt8(
        truncatingIfNeeded: number >> UInt64(8 * (isBig ? size - 1 - index : index)))
    }
  }

  static func number(size: Int, isBig: Bool, at place: Int, in bytes: [UInt8]) -> Int {
    guard place >= 0, place + size <= bytes.count else { return 0 }
    let digits = bytes[place..<place + size]
    return (isBig ? Array(digits) : digits.reversed()).reduce(0) { $0 << 8 | Int($1) }
  }
}

/// Changes of text with numbers, strings and brackets: JSON, and the headers of safetensors and NumPy files.
enum TextMutation {
  static let all: [Mutation] = [number, number, string, item, nest, word, ByteMutation.any]

  static func any(_ bytes: inout [UInt8], _ dice: inout Dice) { dice.pick(all)(&bytes, &dice) }

  private static let values = [
    "-1", "0", "1", "255", "256", "-0", "0.5", "1e3", "1e999", "-1e999", "1e-400", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "18446744073709551616", "4294967296", "2147483648",
    "65536",
    "1000000", "00", "0x10", "1.", ".5", "NaN", "Infinity", "null", "true", "false", "[]", "{}", "\"\"",
    "\"x\"",
    "[[]]", "[1,2,3]", "{\"a\":1}", "", "(1,)", "'<f8'", "None", "True",
  ]

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
  }

  /// Runs of bytes of which all are digits, or the insides of strings.
  private static func runs(_ bytes: [UInt8], _ belongs: (UInt8) -> Bool) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start: Int?
    for (index, byte) in bytes.enumerated() {
      if belongs(byte) {
        start = start ?? index
      } else if let first = start {
        runs.append(first..<index)
        start = nil
      }
    }
    if let start { runs.append(start..<bytes.count) }
    return runs
  }

  /// Another value in the place of a number.
  static func number(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let numbers = runs(bytes, isDigit)
    guard !numbers.isEmpty else { return }
    bytes.replaceSubrange(dice.pick(numbers), with: dice.pick(values).utf8)
  }

  private static func strings(_ bytes: [UInt8]) -> [Range<Int>] {
    let quotes = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\"") || bytes[$0] == UInt8(ascii: "'") }
    return stride(from: 0, to: quotes.count - 1, by: 2).map { quotes[$0] + 1..<quotes[$0 + 1] }
  }

  /// Another text in the place of a string, or the text of another one.
  static func string(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let strings = strings(bytes)
    guard !strings.isEmpty else { return }
    let texts: [[UInt8]] = [
      [], [0xFF, 0xFE], [0xC3], [0xED, 0xA0, 0x80], Array("\\ud800".utf8), Array("\\u0000".utf8), [0],
      Array("\\".utf8), Array("../../x".utf8), Array(repeating: UInt8(ascii: "a"), count: 70_000),
      Array("🐎é".utf8), Array("F64".utf8), Array("shared".utf8), Array("-1".utf8),
      Array(bytes[dice.pick(strings)]),
    ]
    bytes.replaceSubrange(dice.pick(strings), with: dice.pick(texts))
  }

  /// What stands between two commas or brackets: left out, doubled, or moved.
  static func item(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let marks = bytes.indices.filter { ",[]{}:()".utf8.contains(bytes[$0]) }
    guard marks.count > 2 else { return }
    let index = dice.below(marks.count - 1)
    let other = min(marks.count - 1, index + 1 + dice.below(4))
    let part = Array(bytes[marks[index]..<marks[other]])
    switch dice.below(3) {
    case 0: bytes.removeSubrange(marks[index]..<marks[other])
    case 1: bytes.insert(contentsOf: part, at: marks[other])
    default: bytes.insert(contentsOf: part, at: dice.pick(marks))
    }
  }

  /// Many brackets.
  static func nest(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let opening = dice.pick(["[", "{\"a\":", "(", "[{\"b\":"])
    let count = dice.pick([1, 10, 500, 600, 100_000])
    let place = dice.below(bytes.count + 1)
    bytes.insert(contentsOf: String(repeating: opening, count: count).utf8, at: place)
    if dice.chance(0.3) {
      let closing = String(opening.reversed().compactMap { ["[": "]", "{": "}", "(": ")"][$0] })
      bytes.append(contentsOf: String(repeating: closing, count: count).utf8)
    }
  }

  /// A value somewhere.
  static func word(_ bytes: inout [UInt8], _ dice: inout Dice) {
    bytes.insert(contentsOf: dice.pick(values).utf8, at: dice.below(bytes.count + 1))
  }
}
