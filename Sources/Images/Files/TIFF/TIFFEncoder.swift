import Base
import CZlib
import Synchronization
import TensorCore

/// The bytes of a TIFF file that is made from top to bottom.
///
/// Strips where both sides are at most 4096 pixels, which every program opens; else tiles of 256 x 256. Deflate, of
/// differences between neighbours where samples are no labels. BigTIFF where the file may become larger than 4 GB.
struct TIFFEncoder {
  let layout: TIFFLayout
  let pages: Int
  private let palette: Palette?
  private let pixelSize: PixelSize?
  private let names: [String]
  /// Bytes of the file so far.
  private var position = 0
  /// For each page rows that do not fill a strip or tile yet, rows that were given, and where its chunks are.
  private var pending: [[UInt8]]
  private var rows: [Int]
  private var chunks: [[(offset: Int, count: Int)]]

  init(
    layout: TIFFLayout, pages: Int = 1, palette: Palette? = nil, pixelSize: PixelSize? = nil,
    names: [String] = []
  ) {
    precondition(pages > 0, "a file of \(pages) pages")
    precondition(names.isEmpty || names.count == pages, "\(names.count) names of \(pages) pages")
    (self.layout, self.pages, self.palette, self.pixelSize, self.names) = (
      layout, pages, palette, pixelSize, names
    )
    pending = Array(repeating: [], count: pages)
    rows = Array(repeating: 0, count: pages)
    chunks = Array(repeating: [], count: pages)
  }

  /// Whether places in the file are numbers of 64 bits.
  var isBig: Bool { layout.mostBytes * pages > Int(UInt32.max) }

  /// The first bytes, with a gap for the place of the first directory.
  mutating func start() -> [UInt8] {
    var bytes = LittleEndianBytes()
    bytes.text("II")
    bytes.short(isBig ? 43 : 42)
    if isBig {
      bytes.short(8)
      bytes.short(0)
    }
    bytes.place(0, isBig)
    position = bytes.bytes.count
    return bytes.bytes
  }

  /// Takes the next rows of a page, `[rows, width, channels]` in little-endian order, and gives what is to be appended to
  /// the file.
  /// - Precondition: whole rows, no more than the page has left.
  mutating func append(_ samples: [UInt8], page: Int) -> [UInt8] {
    precondition(
      samples.count % layout.rowBytes == 0, "\(samples.count) bytes are no rows of \(layout.rowBytes)")
    rows[page] += samples.count / layout.rowBytes
    precondition(rows[page] <= layout.height, "\(rows[page]) rows of a page of \(layout.height)")
    pending[page] += samples
    var bytes: [UInt8] = []
    let band = layout.chunkHeight * layout.rowBytes
    var taken = 0
    while pending[page].count - taken >= band
      || (rows[page] == layout.height && taken < pending[page].count)
    {
      let end = min(taken + band, pending[page].count)
      for packed in Self.deflated(layout.chunks(of: pending[page][taken..<end])) {
        chunks[page].append((position + bytes.count, packed.count))
        bytes += packed
        // Directories begin at even places, and chunks may.
        if bytes.count % 2 == 1 { bytes.append(0) }
      }
      taken = end
    }
    pending[page].removeFirst(taken)
    position += bytes.count
    return bytes
  }

  /// The last bytes, and those that belong into the gap at the beginning.
  /// - Precondition: all rows of all pages were given.
  mutating func finish() -> (tail: [UInt8], place: Int, patch: [UInt8]) {
    precondition(rows.allSatisfy { $0 == layout.height }, "\(rows) rows of \(layout.height)")
    var tail: [UInt8] = []
    var first = 0
    // Where the directory before says that the next one is.
    var link: Int?
    for page in 0..<pages {
      var directory = TIFFDirectoryBytes(isBig: isBig, position: position + tail.count)
      describe(page, in: &directory)
      let made = directory.made()
      let start = position + tail.count + made.directory
      if let link {
        var place = LittleEndianBytes()
        place.place(start, isBig)
        tail.replaceSubrange(link..<link + place.bytes.count, with: place.bytes)
      } else {
        first = start
      }
      link = tail.count + made.link
      tail += made.bytes
    }
    var patch = LittleEndianBytes()
    patch.place(first, isBig)
    return (tail, isBig ? 8 : 4, patch.bytes)
  }

  private func describe(_ page: Int, in directory: inout TIFFDirectoryBytes) {
    directory.longs(256, [layout.width])
    directory.longs(257, [layout.height])
    directory.shorts(258, Array(repeating: 8 * layout.sampleBytes, count: layout.channels))
    directory.shorts(259, [8])
    directory.shorts(262, [palette != nil ? 3 : layout.channels == 3 ? 2 : 1])
    directory.shorts(277, [layout.channels])
    if layout.isTiled {
      directory.longs(322, [layout.chunkWidth])
      directory.longs(323, [layout.chunkHeight])
    } else {
      directory.longs(278, [layout.chunkHeight])
    }
    directory.places(layout.isTiled ? 324 : 273, chunks[page].map(\.offset))
    directory.places(layout.isTiled ? 325 : 279, chunks[page].map(\.count))
    if let pixelSize {
      directory.rational(282, 10_000 / pixelSize.x)
      directory.rational(283, 10_000 / pixelSize.y)
      directory.shorts(296, [3])
    }
    directory.shorts(284, [1])
    if !names.isEmpty { directory.text(285, names[page]) }
    if pages > 1 { directory.shorts(297, [page, pages].map { min($0, 65_535) }) }
    directory.text(305, "DiffusionSegmentation \(Version.current)")
    if layout.hasDifferences { directory.shorts(317, [2]) }
    if let palette {
      let colors = (0..<256).map { $0 < palette.colors.count ? palette.colors[$0] : .black }
      directory.shorts(
        320,
        colors.map { Int($0.red) * 257 } + colors.map { Int($0.green) * 257 }
          + colors.map { Int($0.blue) * 257 })
    }
    directory.shorts(339, Array(repeating: 1, count: layout.channels))
  }

  /// Each by itself, on all threads.
  private static func deflated(_ chunks: [[UInt8]]) -> [[UInt8]] {
    let packed = Mutex([[UInt8]](repeating: [], count: chunks.count))
    parallelFor(chunks.count) { index in
      let bytes = deflated(chunks[index])
      packed.withLock { $0[index] = bytes }
    }
    return packed.withLock { $0 }
  }

  /// zlib's format, which compression 8 names.
  private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var size = compressBound(uLong(bytes.count))
    return [UInt8](unsafeUninitializedCapacity: Int(size)) { target, filled in
      let status = compress2(target.baseAddress, &size, bytes, uLong(bytes.count), 6)
      precondition(status == Z_OK, "zlib says \(status)")
      filled = Int(size)
    }
  }
}

extension TIFF {
  /// A whole file in memory.
  static func encode(
    _ samples: [UInt8], width: Int, height: Int, kind: TIFFWriter.Kind, path: String
  ) throws(DataError) -> [UInt8] {
    var encoder = TIFFEncoder(
      layout: TIFFLayout(width: width, height: height, kind: kind), palette: kind.palette)
    var bytes = encoder.start()
    bytes += encoder.append(samples, page: 0)
    let (tail, place, patch) = encoder.finish()
    bytes += tail
    bytes.replaceSubrange(place..<place + patch.count, with: patch)
    return bytes
  }
}
