import TensorCore

/// What is drawn for one mutated file.
struct Dice {
  private var random: Philox

  init(seed: UInt64, input: Int) { random = Philox(seed: seed).split(UInt64(input)) }

  /// A number in `0..<bound`; 0 where there is none.
  mutating func below(_ bound: Int) -> Int {
    bound < 1 ? 0 : Int(random.next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: random.nextWord()) }

  mutating func chance(_ share: Double) -> Bool { random.uniform() < Float(share) }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  /// Mostly short, at times nearly all of it.
  mutating func length(upTo count: Int) -> Int { below(chance(0.8) ? min(count, 16) + 1 : count + 1) }

  /// Numbers at which something ends or overflows, and numbers near them.
  mutating func number() -> UInt64 {
    let edges: [UInt64] = [
      0, 1, 2, 3, 4, 7, 8, 16, 64, 127, 128, 255, 256, 1000, 32_767, 32_768, 65_535, 65_536, 1 << 20, 1 << 24,
      0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 40, 1 << 62, 1 << 63, .max,
    ]
    return chance(0.1) ? random.next() : pick(edges) &+ UInt64(bitPattern: Int64(below(5) - 2))
  }
}
