/// How the samples of a TIFF file that is written lie in it.
struct TIFFLayout {
  let width: Int
  let height: Int
  let channels: Int
  let sampleBytes: Int
  /// Whether differences between neighbours are stored.
  let hasDifferences: Bool
  let isTiled: Bool
  let chunkWidth: Int
  let chunkHeight: Int

  private static let tileSide = 256
  /// Up to this side pictures are written in strips: ImageJ opens no tiles.
  private static let longestInStrips = 4096
  private static let stripBytes = 1 << 17

  init(width: Int, height: Int, kind: TIFFWriter.Kind) {
    precondition(
      width > 0 && height > 0 && max(width, height) <= TIFFPage.longestSide,
      "\(width) x \(height) is no size of a picture")
    (self.width, self.height) = (width, height)
    channels = kind.channels
    sampleBytes = kind.sampleBytes
    if case .labels = kind { hasDifferences = false } else { hasDifferences = true }
    isTiled = max(width, height) > Self.longestInStrips
    chunkWidth = isTiled ? Self.tileSide : width
    chunkHeight =
      isTiled
      ? Self.tileSide : min(height, max(1, Self.stripBytes / (width * kind.channels * kind.sampleBytes)))
  }

  var rowBytes: Int { width * channels * sampleBytes }
  /// Strips or tiles across.
  var across: Int { (width + chunkWidth - 1) / chunkWidth }
  private var down: Int { (height + chunkHeight - 1) / chunkHeight }

  /// The most bytes that a page takes in the file: what Deflate adds to data that it cannot pack, and the directory.
  var mostBytes: Int {
    let chunk = chunkWidth * chunkHeight * channels * sampleBytes
    return across * down * (chunk + chunk / 1000 + 64) + 16_384
  }

  /// The strips or tiles of some rows, filled up with zeros, as they are to be packed.
  func chunks(of rows: ArraySlice<UInt8>) -> [[UInt8]] {
    let count = rows.count / rowBytes
    let pixelBytes = channels * sampleBytes
    let bytes = isTiled ? chunkWidth * chunkHeight * pixelBytes : rows.count
    return (0..<across).map { column in
      var chunk = [UInt8](repeating: 0, count: bytes)
      let x = column * chunkWidth
      let part = min(chunkWidth, width - x) * pixelBytes
      for row in 0..<count {
        let from = rows.startIndex + row * rowBytes + x * pixelBytes
        let to = row * chunkWidth * pixelBytes
        chunk.replaceSubrange(to..<to + part, with: rows[from..<from + part])
        if hasDifferences { difference(&chunk, to..<to + chunkWidth * pixelBytes) }
      }
      return chunk
    }
  }

  /// Every sample but the first of its channel less the one before (TIFF 6.0, section 14).
  private func difference(_ bytes: inout [UInt8], _ row: Range<Int>) {
    let step = channels * sampleBytes
    guard row.count > step else { return }
    if sampleBytes == 1 {
      for place in stride(from: row.upperBound - 1, through: row.lowerBound + step, by: -1) {
        bytes[place] &-= bytes[place - step]
      }
    } else {
      func value(_ place: Int) -> UInt16 { UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8 }
      for place in stride(from: row.upperBound - 2, through: row.lowerBound + step, by: -2) {
        let difference = value(place) &- value(place - step)
        bytes[place] = UInt8(difference & 255)
        bytes[place + 1] = UInt8(difference >> 8)
      }
    }
  }
}
