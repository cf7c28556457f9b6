/// Changes of a pickle: instructions put in, taken out or given other numbers.
enum PickleMutation {
  static let all: [Mutation] = [instruction, repeatedInstruction, operand, ByteMutation.any]

  static func any(_ bytes: inout [UInt8], _ dice: inout Dice) { dice.pick(all)(&bytes, &dice) }

  private static let plain: [UInt8] =
    Array("(.012NQRTbdefgijloprstu}])aceS".utf8) + [
      0x81, 0x82, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8F, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x97, 0x98,
    ]

  /// Whole instructions, with their operands.
  private static func drawn(_ dice: inout Dice) -> [UInt8] {
    var number = [UInt8](repeating: 0, count: 8)
    ByteMutation.put(dice.number(), size: 8, isBig: false, at: 0, in: &number)
    switch dice.below(12) {
    case 0: return Array("J".utf8) + number[..<4]
    case 1: return [0x8A, 8] + number
    case 2: return [0x8B] + number[..<4]
    case 3: return Array("X".utf8) + number[..<4]
    case 4: return [0x8D] + number
    case 5: return [0x95] + number
    case 6: return Array("r".utf8) + number[..<4]
    case 7: return Array("j".utf8) + number[..<4]
    case 8: return Array("h".utf8) + [dice.byte() % 32]
    case 9:
      return dice.pick([
        "cos\nsystem\n", "cbuiltins\neval\n", "ccollections\nOrderedDict\n)R", "ctorch\nSize\n",
      ]).utf8.map { $0 }
    case 10: return Array("G".utf8) + number
    default: return [dice.pick(plain)]
    }
  }

  static func instruction(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let new = drawn(&dice)
    let place = dice.below(bytes.count + 1)
    if dice.chance(0.5) {
      bytes.insert(contentsOf: new, at: place)
    } else {
      bytes.replaceSubrange(place..<min(bytes.count, place + new.count), with: new)
    }
  }

  /// Deep stacks, long memos, programs that double what they hold.
  static func repeatedInstruction(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let piece =
      dice.chance(0.5)
      ? drawn(&dice) : dice.pick(["]a", "(", "2", "]2a", "(]l", "}", "2\u{06}", ")"]).utf8.map { $0 }
    let count = dice.pick([3, 30, 1000, 20_000])
    bytes.insert(contentsOf: Array(repeating: piece, count: count).joined(), at: dice.below(bytes.count + 1))
  }

  /// The operand of an instruction that has a number.
  static func operand(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let sizes: [UInt8: Int] = [
      UInt8(ascii: "J"): 4, UInt8(ascii: "K"): 1, UInt8(ascii: "M"): 2, 0x8A: 2, UInt8(ascii: "X"): 4,
      UInt8(ascii: "q"): 1, UInt8(ascii: "h"): 1, UInt8(ascii: "r"): 4, UInt8(ascii: "j"): 4, 0x80: 1,
      0x95: 8,
    ]
    let places = bytes.indices.filter { index in sizes[bytes[index]].map { index + $0 < bytes.count } ?? false
    }
    guard !places.isEmpty else { return }
    let place = dice.pick(places)
    ByteMutation.put(dice.number(), size: sizes[bytes[place]]!, isBig: false, at: place + 1, in: &bytes)
  }
}

/// Changes of a file that begins with the length of a text: safetensors (8 bytes), NumPy (2 bytes behind 8 others).
struct HeaderMutation {
  let lengthPlace: Int
  let lengthSize: Int

  static let safetensors = HeaderMutation(lengthPlace: 0, lengthSize: 8)
  static let numpy = HeaderMutation(lengthPlace: 8, lengthSize: 2)

  var all: [Mutation] { [text, text, text, length, ByteMutation.any] }

  /// The text changed, and its length with it.
  func text(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let start = lengthPlace + lengthSize
    let count = ByteMutation.number(size: lengthSize, isBig: false, at: lengthPlace, in: bytes)
    guard count >= 0, start <= bytes.count, count <= bytes.count - start else {
      return ByteMutation.any(&bytes, &dice)
    }
    var text = Array(bytes[start..<start + count])
    TextMutation.any(&text, &dice)
    bytes.replaceSubrange(start..<start + count, with: text)
    ByteMutation.put(UInt64(text.count), size: lengthSize, isBig: false, at: lengthPlace, in: &bytes)
  }

  func length(_ bytes: inout [UInt8], _ dice: inout Dice) {
    guard bytes.count >= lengthPlace + lengthSize else { return }
    ByteMutation.put(dice.number(), size: lengthSize, isBig: false, at: lengthPlace, in: &bytes)
  }
}
