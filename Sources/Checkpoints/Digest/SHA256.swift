import Base

/// The hash function SHA-256, to tell checkpoints apart.
/// Source: NIST, FIPS 180-4, "Secure Hash Standard".
public struct SHA256: Sendable {
  private var state = State()
  /// What does not fill a block yet.
  private var rest: [UInt8] = []
  private var byteCount: UInt64 = 0

  private static let blockSize = 64

  public init() {}

  /// Appends bytes to what is hashed.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    byteCount &+= UInt64(bytes.count)
    var bytes = bytes[...]
    if !rest.isEmpty {
      let missing = bytes.prefix(Self.blockSize - rest.count)
      rest += missing
      bytes = bytes.dropFirst(missing.count)
      guard rest.count == Self.blockSize else { return }
      rest.withUnsafeBytes { state.absorb($0) }
      rest.removeAll(keepingCapacity: true)
    }
    let whole = bytes.count / Self.blockSize * Self.blockSize
    state.absorb(UnsafeRawBufferPointer(rebasing: bytes.prefix(whole)))
    rest += bytes.dropFirst(whole)
  }

  /// The 32 bytes of the digest of all that was appended.
  public consuming func digest() -> [UInt8] {
    let bitCount = byteCount &* 8
    var padding: [UInt8] = [0x80]
    padding += [UInt8](repeating: 0, count: (Self.blockSize * 2 - 9 - rest.count) % Self.blockSize)
    withUnsafeBytes(of: bitCount.bigEndian) { padding += $0 }
    padding.withUnsafeBytes { update($0) }
    return state.bytes
  }

  /// The digest of bytes in memory.
  public static func digest(of bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.digest()
  }

  /// The digest of a file in 64 hexadecimal digits, as `sha256sum` prints it.
  /// - Throws: `DataError` of kind `.noInput`.
  public static func hexadecimalDigest(ofFile path: String) throws(DataError) -> String {
    let region = ByteRegion(try MappedFile(path: path))
    var hash = SHA256()
    region.withBytes { hash.update($0) }
    return hexadecimal(hash.digest())
  }

  /// Two lower-case digits for each byte.
  public static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension SHA256 {
  /// The eight words a…h of the hash and their compression function.
  private struct State {
    private var words: SIMD8<UInt32> = [
      0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]

    var bytes: [UInt8] {
      (0..<8).flatMap { index in withUnsafeBytes(of: words[index].bigEndian) { Array($0) } }
    }

    /// Compresses whole blocks.
    mutating func absorb(_ blocks: UnsafeRawBufferPointer) {
      guard var block = blocks.baseAddress else { return }
      let end = block + blocks.count
      roundConstants.withUnsafeBufferPointer { constants in
        while block < end {
          compress(block, constants.baseAddress.unsafelyUnwrapped)
          block += blockSize
        }
      }
    }

    @inline(__always)
    private mutating func compress(_ block: UnsafeRawPointer, _ k: UnsafePointer<UInt32>) {
      @inline(__always) func load(_ index: Int) -> UInt32 {
        UInt32(bigEndian: block.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
      }
      var w0 = load(0)
      var w1 = load(1)
      var w2 = load(2)
      var w3 = load(3)
      var w4 = load(4)
      var w5 = load(5)
      var w6 = load(6)
      var w7 = load(7)
      var w8 = load(8)
      var w9 = load(9)
      var w10 = load(10)
      var w11 = load(11)
      var w12 = load(12)
      var w13 = load(13)
      var w14 = load(14)
      var w15 = load(15)
      var a = words[0]
      var b = words[1]
      var c = words[2]
      var d = words[3]
      var e = words[4]
      var f = words[5]
      var g = words[6]
      var h = words[7]
      // Sixteen rounds at a time; instead of moving the eight variables along, their roles rotate.
      for start in stride(from: 0, to: 64, by: 16) {
        let k = k + start
        if start > 0 {
          SHA256.schedule(&w0, w1, w9, w14)
          SHA256.schedule(&w1, w2, w10, w15)
          SHA256.schedule(&w2, w3, w11, w0)
          SHA256.schedule(&w3, w4, w12, w1)
          SHA256.schedule(&w4, w5, w13, w2)
          SHA256.schedule(&w5, w6, w14, w3)
          SHA256.schedule(&w6, w7, w15, w4)
          SHA256.schedule(&w7, w8, w0, w5)
          SHA256.schedule(&w8, w9, w1, w6)
          SHA256.schedule(&w9, w10, w2, w7)
          SHA256.schedule(&w10, w11, w3, w8)
          SHA256.schedule(&w11, w12, w4, w9)
          SHA256.schedule(&w12, w13, w5, w10)
          SHA256.schedule(&w13, w14, w6, w11)
          SHA256.schedule(&w14, w15, w7, w12)
          SHA256.schedule(&w15, w0, w8, w13)
        }
        SHA256.round(a, b, c, &d, e, f, g, &h, w0 &+ k[0])
        SHA256.round(h, a, b, &c, d, e, f, &g, w1 &+ k[1])
        SHA256.round(g, h, a, &b, c, d, e, &f, w2 &+ k[2])
        SHA256.round(f, g, h, &a, b, c, d, &e, w3 &+ k[3])
        SHA256.round(e, f, g, &h, a, b, c, &d, w4 &+ k[4])
        SHA256.round(d, e, f, &g, h, a, b, &c, w5 &+ k[5])
        SHA256.round(c, d, e, &f, g, h, a, &b, w6 &+ k[6])
        SHA256.round(b, c, d, &e, f, g, h, &a, w7 &+ k[7])
        SHA256.round(a, b, c, &d, e, f, g, &h, w8 &+ k[8])
        SHA256.round(h, a, b, &c, d, e, f, &g, w9 &+ k[9])
        SHA256.round(g, h, a, &b, c, d, e, &f, w10 &+ k[10])
        SHA256.round(f, g, h, &a, b, c, d, &e, w11 &+ k[11])
        SHA256.round(e, f, g, &h, a, b, c, &d, w12 &+ k[12])
        SHA256.round(d, e, f, &g, h, a, b, &c, w13 &+ k[13])
        SHA256.round(c, d, e, &f, g, h, a, &b, w14 &+ k[14])
        SHA256.round(b, c, d, &e, f, g, h, &a, w15 &+ k[15])
      }
      words &+= SIMD8(a, b, c, d, e, f, g, h)
    }
  }

  @inline(__always)
  private static func rotate(_ x: UInt32, _ count: UInt32) -> UInt32 { x &>> count | x &<< (32 &- count) }

  /// Replaces W(t-16) by W(t), given W(t-15), W(t-7) and W(t-2).
  @inline(__always)
  private static func schedule(_ w: inout UInt32, _ w15: UInt32, _ w7: UInt32, _ w2: UInt32) {
    let s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ w15 &>> 3
    let s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ w2 &>> 10
    w = w &+ s0 &+ w7 &+ s1
  }

  /// One round; `wk` is W(t) + K(t).
  @inline(__always)
  private static func round(
    _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32,
    _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32, _ wk: UInt32
  ) {
    let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    let choice = g ^ (e & (f ^ g))
    let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    let majority = (a & b) | (c & (a | b))
    let t1 = h &+ s1 &+ choice &+ wk
    d = d &+ t1
    h = t1 &+ s0 &+ majority
  }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let roundConstants: [UInt32] = [
    0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4, 0xAB1C_5ED5,
    0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE, 0x9BDC_06A7, 0xC19B_F174,
    0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F, 0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA,
    0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7, 0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967,
    0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC, 0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85,
    0xA2BF_E8A1, 0xA81A_664B, 0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070,
    0x19A4_C116, 0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
    0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7, 0xC671_78F2,
  ]
}
