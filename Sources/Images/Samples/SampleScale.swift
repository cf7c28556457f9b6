import Base

/// Numbers of samples to 0...255.
struct SampleScale {
  let low: Double
  let high: Double
  let isInverted: Bool

  /// Finds the two numbers; reads the picture as often as that takes.
  /// - Throws: `DataError` when the picture is damaged.
  init(_ range: SampleRange, of source: any SampleSource, path: String, notices: Notices) throws(DataError) {
    isInverted = source.isInverted
    switch range {
    case .full: (low, high) = source.kind.fullRange
    case .values(let first, let second): (low, high) = (first, second)
    case .minMax, .percentile:
      var order = try SampleOrder(source)
      guard order.finite > 0 else {
        (low, high) = (0, 1)
        try source.rewind()
        return
      }
      if case .percentile(let first, let second) = range {
        (low, high) = (try order.percentile(first), try order.percentile(second))
      } else {
        (low, high) = (try order.number(at: 0), try order.number(at: order.finite - 1))
      }
      if low == high {
        notices.add(.suspicious, file: path, "all of it that --range \(range) looks at is the same number")
      }
      try source.rewind()
    }
  }

  /// 0 for NaN.
  func byte(_ number: Double) -> UInt8 {
    guard !number.isNaN else { return 0 }
    // Rounded halves up, which are not there with 65535 numbers of 16 bits.
    let level: UInt8
    if number <= low {
      level = 0
    } else if number >= high {
      level = 255
    } else {
      level = UInt8(((number - low) / (high - low) * 255).rounded())
    }
    return isInverted ? 255 - level : level
  }
}

/// Rows of samples to rows of red, green and blue, and what there is to say of them at the end.
struct SampleConversion {
  private let kind: SampleKind
  private let scale: SampleScale
  private let range: SampleRange
  /// Bytes for all bit patterns of kinds of one or two bytes.
  private let table: [UInt8]
  private var counts: [Int]
  private var least = Double.infinity
  private var greatest = -Double.infinity
  private var others = 0

  /// - Throws: `DataError` when the picture is damaged.
  init(_ range: SampleRange, of source: any SampleSource, path: String, notices: Notices) throws(DataError) {
    (kind, self.range) = (source.kind, range)
    let scale = try SampleScale(range, of: source, path: path, notices: notices)
    self.scale = scale
    let kind = kind
    let patterns = kind.size <= 2 ? 1 << (8 * kind.size) : 0
    table = (0..<patterns).map { scale.byte(kind.number(UInt64($0))) }
    counts = [Int](repeating: 0, count: patterns)
  }

  /// The rows as `[rows, width, 3]`; grey is repeated.
  mutating func rgb(_ rows: SampleRows, channels: Int) -> [UInt8] {
    let count = rows.bytes.count / kind.size
    let copies = channels == 1 ? 3 : 1
    var (least, greatest, others) = (self.least, self.greatest, self.others)
    let (kind, scale) = (kind, scale)
    let pixels = [UInt8](unsafeUninitializedCapacity: copies * count) { pixels, filled in
      func put(_ index: Int, _ byte: UInt8) {
        for copy in 0..<copies { pixels.initializeElement(at: copies * index + copy, to: byte) }
      }
      if kind.size <= 2 {
        counts.withUnsafeMutableBufferPointer { counts in
          table.withUnsafeBufferPointer { table in
            forEachPattern(rows.bytes, size: kind.size) { index, pattern in
              counts[Int(pattern)] += 1
              put(index, table[Int(pattern)])
            }
          }
        }
      } else {
        forEachPattern(rows.bytes, size: kind.size) { index, pattern in
          let number = kind.number(pattern)
          if number.isFinite {
            least = min(least, number)
            greatest = max(greatest, number)
          } else {
            others += 1
          }
          put(index, scale.byte(number))
        }
      }
      filled = copies * count
    }
    (self.least, self.greatest, self.others) = (least, greatest, others)
    return pixels
  }

  private var isReduced: Bool {
    if case .unsigned(let bits) = kind { return bits > 8 }
    return true
  }

  /// Tells that samples have more bits than a picture.
  func tellReduction(path: String, notices: Notices) {
    if isReduced { notices.add(.changed, file: path, "\(kind.name) samples reduced to 8 bits") }
  }

  /// Tells what was lost, once all rows were seen.
  mutating func finish(path: String, notices: Notices) {
    for (pattern, count) in counts.enumerated() where count > 0 {
      let number = kind.number(UInt64(pattern))
      if number.isFinite {
        least = min(least, number)
        greatest = max(greatest, number)
      } else {
        others += count
      }
    }
    tellReduction(path: path, notices: notices)
    if others > 0 {
      notices.add(
        .changed, file: path, "\(others) samples are not finite; NaN became black, infinity black or white")
    }
    guard range == .full, isReduced, least <= greatest else { return }
    let hint = "--range percentile:0.1,99.9 spreads the values that it uses"
    let span = scale.high - scale.low
    if least < scale.low || greatest > scale.high {
      notices.add(
        .suspicious, file: path,
        "values outside \(Int(scale.low)) to \(Int(scale.high)) became black or white: \(hint)")
    } else if kind == .unsigned(bits: 16), (1..<32_768).contains(greatest) {
      let bits = Int.bitWidth - Int(greatest).leadingZeroBitCount
      notices.add(.suspicious, file: path, "uses only \(bits) of 16 bits, which makes it dark: \(hint)")
    } else if least < greatest && greatest - least < span / 16 {
      notices.add(
        .suspicious, file: path, "uses less than a sixteenth of its range, which makes it flat: \(hint)")
    }
  }
}

extension Image {
  /// Reads all rows of a source.
  /// - Throws: `DataError` when the picture is damaged.
  init(_ source: any SampleSource, range: SampleRange, path: String, notices: Notices) throws(DataError) {
    var conversion = try SampleConversion(range, of: source, path: path, notices: notices)
    var pixels: [UInt8] = []
    while let rows = try source.next() {
      if pixels.isEmpty && rows.rows == source.height {
        pixels = conversion.rgb(rows, channels: source.channels)
      } else {
        // Memory is taken as rows come, since a file may promise more than it holds.
        if pixels.isEmpty { pixels.reserveCapacity(3 * source.width * source.height) }
        pixels += conversion.rgb(rows, channels: source.channels)
      }
    }
    conversion.finish(path: path, notices: notices)
    self.init(width: source.width, height: source.height, pixels: pixels)
  }
}
