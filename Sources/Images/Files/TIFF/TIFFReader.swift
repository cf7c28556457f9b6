import Base

/// A page of a TIFF file, decoded from top to bottom, some rows at a time.
final class TIFFReader: SampleSource {
  let page: TIFFPage
  var width: Int { page.width }
  var height: Int { page.height }
  let kind: SampleKind
  let channels: Int
  var isInverted: Bool { page.isInverted }

  private let bytes: UnsafeRawBufferPointer
  private let offset: UInt64
  private let path: String
  private let notices: Notices
  /// Samples of the file that are decoded, in the order of the channels; those of colours that are converted all.
  private let samples: [Int]
  /// Channels to take of converted colours.
  private let chosen: [Int]?
  private var handle: TIFFHandle
  private var row = 0
  private var isTransparent = false
  private var decodedBytes = 0
  /// Called now and then when what was read of the file need not stay in memory.
  var release: (() -> Void)?

  /// Bytes of decoded samples between two calls of `release`.
  private static let releaseInterval = 1 << 25
  /// Rows of strips are decoded until there are so many bytes.
  private static let bandBytes = 1 << 20

  /// - Parameters:
  ///   - bytes: the file; they must stay where they are as long as this lives
  ///   - offset: of the page's directory
  ///   - reading: which channels are taken
  ///   - path: for messages
  ///   - notices: of what was left out or guessed
  /// - Throws: `DataError`, see `TIFFPage`; of kind `.unsupported` when a channel is asked for that there is not.
  init(
    _ bytes: UnsafeRawBufferPointer, offset: UInt64, reading: PictureReading, path: String, notices: Notices
  ) throws(DataError) {
    (self.bytes, self.offset, self.path, self.notices) = (bytes, offset, path, notices)
    handle = try TIFFHandle(bytes, path: path)
    page = try handle.page(at: offset, notices: notices)
    switch page.colors {
    case .samples(let colors):
      try reading.checkChannels(of: page.samplesPerPixel, path: path)
      samples = reading.channels ?? Array(0..<colors)
      chosen = nil
      channels = samples.count
      kind = page.kind
      let others = page.samplesPerPixel - colors - (page.alpha == nil ? 0 : 1)
      if reading.channels == nil && others > 0 {
        notices.add(
          .leftOut, file: path,
          "\(others) more of its \(page.samplesPerPixel) channels than \(colors == 1 ? "the first, shown as grey" : "red, green and blue"): --channels names others"
        )
      }
    case .palette, .cmyk, .converted:
      try reading.checkChannels(of: 3, path: path)
      samples = page.colors == .cmyk ? [0, 1, 2, 3] : page.colors == .converted ? [0, 1, 2] : [0]
      chosen = reading.channels
      channels = chosen?.count ?? 3
      kind = .unsigned(bits: 8)
    }
    if page.colors == .cmyk {
      notices.add(.guessed, file: path, "CMYK converted to red, green and blue without a colour profile")
    }
  }

  func rewind() throws(DataError) {
    guard row > 0 else { return }
    // libtiff decodes strips forward only.
    handle = try TIFFHandle(bytes, path: path)
    _ = try handle.page(at: offset, notices: notices)
    row = 0
  }

  /// Goes on from the strip or row of tiles that a row lies in, unless that is behind; gives the row that comes next.
  func skip(to target: Int) -> Int {
    row = max(row, target / page.chunkHeight * page.chunkHeight)
    return row
  }

  func next() throws(DataError) -> SampleRows? {
    guard row < height else { return nil }
    if page.colors == .converted {
      let rows = try nextColors()
      return SampleRows(rows: rows.rows, bytes: rgb(rows.bytes))
    }
    let band: SampleRows
    if page.isTiled || page.hasPlanes {
      band = try nextChunks()
    } else {
      band = try nextRows()
    }
    advance(band)
    if row == height && isTransparent {
      notices.add(.changed, file: path, "transparency dropped")
      if page.isPremultiplied {
        notices.add(
          .suspicious, file: path, "its colours are darkened by transparency (premultiplied) and left so")
      }
    }
    return SampleRows(rows: band.rows, bytes: rgb(band.bytes))
  }

  /// Samples as they are decoded, without a conversion of colours, for masks: one a pixel.
  func nextRaw() throws(DataError) -> SampleRows? {
    guard row < height else { return nil }
    let band = try page.isTiled || page.hasPlanes ? nextChunks() : nextRows()
    advance(band)
    return band
  }

  private func advance(_ band: SampleRows) {
    row += band.rows
    decodedBytes += band.bytes.count
    guard decodedBytes >= Self.releaseInterval else { return }
    release?()
    decodedBytes = 0
  }

  // MARK: Rows

  private func withTarget(
    _ count: Int, _ body: (inout SampleTarget) throws(DataError) -> Void
  ) throws(DataError) -> [UInt8] {
    var failure: DataError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      var target = SampleTarget(
        bytes: UnsafeMutableRawBufferPointer(buffer), width: width, channels: samples.count, bits: page.bits,
        size: page.kind.size)
      do throws(DataError) {
        try body(&target)
        filled = count
      } catch { failure = error }
      isTransparent = isTransparent || target.isTransparent
    }
    if let failure { throw failure }
    return bytes
  }

  /// The next rows of strips.
  private func nextRows() throws(DataError) -> SampleRows {
    let count = min(height - row, max(1, Self.bandBytes / max(page.rowSize, 1)))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: page.rowSize + 8, alignment: 16)
    defer { buffer.deallocate() }
    let (first, samples, page) = (row, samples, page)
    let bytes = try withTarget(count * width * samples.count * page.kind.size) { (target) throws(DataError) in
      for index in 0..<count {
        try handle.readRow(first + index, into: buffer.baseAddress!)
        target.put(
          UnsafeRawPointer(buffer.baseAddress!), pixels: page.width, stride: page.samplesPerPixel,
          places: Array(samples.enumerated().map { ($0.offset, $0.element) }), alpha: page.alpha, x: 0,
          y: index)
      }
    }
    return SampleRows(rows: count, bytes: bytes)
  }

  /// The next row of tiles, or strips of all planes.
  private func nextChunks() throws(DataError) -> SampleRows {
    let count = min(page.chunkHeight, height - row)
    let across = (width + page.chunkWidth - 1) / page.chunkWidth
    let down = (height + page.chunkHeight - 1) / page.chunkHeight
    let band = row / page.chunkHeight
    // Strips end with the picture, tiles do not.
    let size = page.isTiled ? page.chunkSize : page.chunkSize / page.chunkHeight * count
    let chunkRow = page.chunkSize / page.chunkHeight
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 8, alignment: 16)
    defer { buffer.deallocate() }
    let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
    let (samples, page) = (samples, page)
    let all = samples.enumerated().map { ($0.offset, $0.element) }
    let bytes = try withTarget(count * width * samples.count * page.kind.size) { (rows) throws(DataError) in
      for column in 0..<across {
        let x = column * page.chunkWidth
        let pixels = min(page.chunkWidth, page.width - x)
        let planes = page.hasPlanes ? Array(Set(samples + (page.alpha.map { [$0] } ?? []))).sorted() : [0]
        for plane in planes {
          try handle.readChunk((plane * down + band) * across + column, into: target)
          let places = page.hasPlanes ? all.filter { $0.1 == plane }.map { ($0.0, 0) } : all
          let alpha = page.hasPlanes ? (page.alpha == plane ? 0 : nil) : page.alpha
          for y in 0..<count {
            rows.put(
              UnsafeRawPointer(buffer.baseAddress! + y * chunkRow), pixels: pixels,
              stride: page.hasPlanes ? 1 : page.samplesPerPixel, places: places, alpha: alpha, x: x, y: y)
          }
        }
      }
    }
    return SampleRows(rows: count, bytes: bytes)
  }

  // MARK: Colours

  /// Red, green and blue that libtiff makes, of the next strip or row of tiles.
  private func nextColors() throws(DataError) -> SampleRows {
    let count = min(page.chunkHeight, height - row)
    var pixels = [UInt8](repeating: 0, count: 3 * count * width)
    var raster = [UInt32](repeating: 0, count: page.chunkWidth * page.chunkHeight)
    // libtiff fills a strip's raster from its end, of as many rows as there are; that of a tile is whole.
    let rasterRows = page.isTiled ? page.chunkHeight : count
    for x in stride(from: 0, to: width, by: page.chunkWidth) {
      var failure: DataError?
      let y = row
      raster.withUnsafeMutableBufferPointer { raster in
        do throws(DataError) { try handle.readColors(x: x, y: y, into: raster.baseAddress!) } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      for line in 0..<count {
        for column in 0..<min(page.chunkWidth, width - x) {
          let color = raster[(rasterRows - 1 - line) * page.chunkWidth + column]
          let place = 3 * (line * width + x + column)
          pixels[place] = UInt8(color & 255)
          pixels[place + 1] = UInt8(color >> 8 & 255)
          pixels[place + 2] = UInt8(color >> 16 & 255)
        }
      }
    }
    row += count
    return SampleRows(rows: count, bytes: pixels)
  }

  /// The colours that samples of palettes and inks stand for, those channels that were chosen.
  private func rgb(_ samples: [UInt8]) -> [UInt8] {
    let colors: [UInt8]
    switch page.colors {
    case .samples: return samples
    case .converted: colors = samples
    case .palette(let palette):
      colors = [UInt8](unsafeUninitializedCapacity: samples.count / page.kind.size * 3) { colors, filled in
        forEachPattern(samples, size: page.kind.size) { index, entry in
          let color = palette[Int(entry)]
          colors.initializeElement(at: 3 * index, to: color.red)
          colors.initializeElement(at: 3 * index + 1, to: color.green)
          colors.initializeElement(at: 3 * index + 2, to: color.blue)
        }
        filled = samples.count / page.kind.size * 3
      }
    case .cmyk: colors = CMYK.rgb(bytes(ofInks: samples))
    }
    guard let chosen else { return colors }
    return (0..<colors.count / 3).flatMap { pixel in chosen.map { colors[3 * pixel + $0] } }
  }

  /// Inks of 8 bits.
  private func bytes(ofInks samples: [UInt8]) -> [UInt8] {
    guard page.kind != .unsigned(bits: 8) else { return samples }
    let (_, most) = page.kind.fullRange
    var bytes = [UInt8](repeating: 0, count: samples.count / page.kind.size)
    forEachPattern(samples, size: page.kind.size) { index, value in
      bytes[index] = UInt8((Double(value) / most * 255).rounded())
    }
    return bytes
  }
}
