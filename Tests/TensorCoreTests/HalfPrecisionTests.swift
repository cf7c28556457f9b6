import TensorCore
import Testing

/// One of the two 16-bit formats, described by its field widths only.
struct HalfFormat: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let exponentBits: Int
  let fractionBits: Int
  let widen: @Sendable ([UInt16]) -> [Float]
  let narrow: @Sendable ([Float]) -> [UInt16]

  /// What the bits mean by the definition of IEEE 754, in `Double`, where all of it is exact.
  func value(_ bits: UInt16) -> Double {
    let bias = 1 << (exponentBits - 1) - 1
    let exponent = Int(bits >> fractionBits) & (1 << exponentBits - 1)
    let fraction = Double(bits & (1 << fractionBits - 1))
    let sign: Double = bits >> 15 == 0 ? 1 : -1
    let one = Double(1 << fractionBits)
    if exponent == 1 << exponentBits - 1 { return fraction == 0 ? sign * .infinity : .nan }
    if exponent == 0 {
      return sign * fraction * Double(sign: .plus, exponent: 1 - bias, significand: 1 / one)
    }
    return sign * Double(sign: .plus, exponent: exponent - bias, significand: 1 + fraction / one)
  }

  static let all = [
    HalfFormat(
      testDescription: "float16", exponentBits: 5, fractionBits: 10,
      widen: { source in
        buffer(source.count, of: Float.self) { to in
          source.withUnsafeBufferPointer { Float16Bits.widen($0, into: to) }
        }
      },
      narrow: { source in
        buffer(source.count, of: UInt16.self) { to in
          source.withUnsafeBufferPointer { Float16Bits.narrow($0, into: to) }
        }
      }),
    HalfFormat(
      testDescription: "bfloat16", exponentBits: 8, fractionBits: 7,
      widen: { source in
        buffer(source.count, of: Float.self) { to in
          source.withUnsafeBufferPointer { BFloat16Bits.widen($0, into: to) }
        }
      },
      narrow: { source in
        buffer(source.count, of: UInt16.self) { to in
          source.withUnsafeBufferPointer { BFloat16Bits.narrow($0, into: to) }
        }
      }),
  ]

  private static func buffer<Element>(
    _ count: Int, of type: Element.Type, _ fill: (UnsafeMutableBufferPointer<Element>) -> Void
  ) -> [Element] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }
}

@Suite("Half precision")
struct HalfPrecisionTests {
  static let everyBits = (0...UInt16.max).map { $0 }

  @Test("all 65,536 bit patterns widen to the number they stand for", arguments: HalfFormat.all)
  func widening(format: HalfFormat) {
    let wide = format.widen(Self.everyBits)
    let wrong = Self.everyBits.filter { bits in
      let expected = format.value(bits)
      let found = wide[Int(bits)]
      if expected.isNaN { return !found.isNaN || found.sign != (bits >> 15 == 0 ? .plus : .minus) }
      return Double(found) != expected || found.sign != expected.sign
    }
    #expect(wrong.count == 0, "first of \(wrong.count): \(wrong.prefix(4))")
  }

  @Test("all 65,536 bit patterns survive widening and narrowing", arguments: HalfFormat.all)
  func roundTrip(format: HalfFormat) {
    let quietBit: UInt16 = 1 << (format.fractionBits - 1)
    let back = format.narrow(format.widen(Self.everyBits))
    let wrong = Self.everyBits.filter { bits in
      back[Int(bits)] != (format.value(bits).isNaN ? bits | quietBit : bits)
    }
    #expect(wrong.count == 0, "first of \(wrong.count): \(wrong.prefix(4))")
  }

  @Test("between neighbours the nearer one is taken, and the even one half-way", arguments: HalfFormat.all)
  func rounding(format: HalfFormat) {
    // All pairs of neighbours, the last being the largest finite number and infinity, which counts
    // as the next power of two when rounding.
    let infinity = UInt16(1 << format.exponentBits - 1) << format.fractionBits
    var inputs: [Float] = []
    var expected: [UInt16] = []
    for lower in 0..<infinity {
      let upper = lower + 1
      let gap = format.value(max(lower, 1)) - format.value(max(lower, 1) - 1)
      let upperValue = upper == infinity ? format.value(lower) + gap : format.value(upper)
      let middle = Float((format.value(lower) + upperValue) / 2)
      for (value, bits) in [
        (middle.nextDown, lower), (middle, lower & 1 == 0 ? lower : upper), (middle.nextUp, upper),
      ] {
        inputs += [value, -value]
        expected += [bits, bits | 0x8000]
      }
    }
    let narrow = format.narrow(inputs)
    let wrong = inputs.indices.filter { narrow[$0] != expected[$0] }
    #expect(wrong.count == 0, "first of \(wrong.count): \(wrong.prefix(4).map { (inputs[$0], narrow[$0]) })")
  }

  @Test("numbers beyond the range become infinity or zero", arguments: HalfFormat.all)
  func extremes(format: HalfFormat) {
    let infinity = UInt16(1 << format.exponentBits - 1) << format.fractionBits
    let inputs: [Float] = [
      .greatestFiniteMagnitude, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude,
      -.leastNonzeroMagnitude,
    ]
    #expect(format.narrow(inputs) == [infinity, infinity, infinity | 0x8000, 0, 0x8000, 0, 0x8000])
  }

  @Test("an empty buffer is nothing to do", arguments: HalfFormat.all)
  func empty(format: HalfFormat) {
    #expect(format.widen([]).isEmpty && format.narrow([]).isEmpty)
  }
}
