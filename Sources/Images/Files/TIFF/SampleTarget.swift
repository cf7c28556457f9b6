/// Where decoded samples go: `[rows, width, channels]`, each in whole bytes.
struct SampleTarget {
  let bytes: UnsafeMutableRawBufferPointer
  let width: Int
  let channels: Int
  /// Bits of a sample where it comes from.
  let bits: Int
  /// Bytes of a sample here.
  let size: Int
  /// Whether a pixel that was seen is not opaque.
  private(set) var isTransparent = false

  init(bytes: UnsafeMutableRawBufferPointer, width: Int, channels: Int, bits: Int, size: Int) {
    (self.bytes, self.width, self.channels, self.bits, self.size) = (bytes, width, channels, bits, size)
  }

  /// Takes a part of a row.
  /// - Parameters:
  ///   - source: the row; samples of less than 8 bits, or of 9 to 15, are packed, the first in the highest bits
  ///   - pixels: how many
  ///   - stride: samples a pixel
  ///   - places: the channel and the sample that it is taken from
  ///   - alpha: the sample that says how opaque a pixel is
  ///   - x: first column
  ///   - y: row
  mutating func put(
    _ source: UnsafeRawPointer, pixels: Int, stride: Int, places: [(channel: Int, sample: Int)], alpha: Int?,
    x: Int, y: Int
  ) {
    let start = (y * width + x) * channels
    let isWhole = bits == 8 * size
    if isWhole, places.count == stride, stride == channels,
      places.allSatisfy({ $0.channel == $0.sample })
    {
      (bytes.baseAddress! + start * size).copyMemory(from: source, byteCount: pixels * stride * size)
    } else {
      for (channel, sample) in places {
        var target = bytes.baseAddress! + (start + channel) * size
        for pixel in 0..<pixels {
          let index = pixel * stride + sample
          if isWhole {
            target.copyMemory(from: source + index * size, byteCount: size)
          } else {
            let value = packed(source, index)
            if size == 1 {
              target.storeBytes(of: UInt8(value), as: UInt8.self)
            } else {
              target.storeBytes(of: UInt16(value), as: UInt16.self)
            }
          }
          target += channels * size
        }
      }
    }
    guard let alpha, !isTransparent else { return }
    for pixel in 0..<pixels {
      let index = pixel * stride + alpha
      let isOpaque =
        isWhole
        ? (0..<size).allSatisfy { source.load(fromByteOffset: index * size + $0, as: UInt8.self) == 255 }
        : packed(source, index) == 1 << bits - 1
      if !isOpaque {
        isTransparent = true
        return
      }
    }
  }

  /// A sample of 1 to 15 bits; reads no byte beyond its last.
  private func packed(_ source: UnsafeRawPointer, _ index: Int) -> Int {
    let first = index * bits
    let last = (first + bits - 1) / 8
    var value = 0
    for byte in first / 8...last {
      value = value << 8 | Int(source.load(fromByteOffset: byte, as: UInt8.self))
    }
    return value >> (8 * (last + 1) - first - bits) & (1 << bits - 1)
  }
}
