import Base

/// Writes a TIFF file from top to bottom, for pictures that are larger than memory. The file is complete or not there.
///
/// Deflate packs it, of differences between neighbours unless samples are labels. Pictures of up to 4096 pixels a side
/// are written in strips, which ImageJ opens by itself; larger ones in tiles of 256 x 256, which QuPath and ImageJ's
/// Bio-Formats open. Several pages are of one kind and size: a stack to all of them, such as a page for each class. A
/// file that may become larger than 4 GB is a BigTIFF.
public struct TIFFWriter: ~Copyable {
  /// What the samples are.
  public enum Kind: Sendable, Equatable {
    /// Classes of 8 bits, with the colours of a palette or grey; a palette too short is filled up with black.
    case labels(Palette?)
    /// Grey of 8 bits.
    case grey
    /// Grey of 16 bits.
    case deepGrey
    /// Red, green and blue of 8 bits.
    case rgb

    var channels: Int { self == .rgb ? 3 : 1 }
    var sampleBytes: Int { self == .deepGrey ? 2 : 1 }
    var palette: Palette? { if case .labels(let palette) = self { palette } else { nil } }
  }

  private let file: AtomicFile
  private let kind: Kind
  private var encoder: TIFFEncoder

  /// Begins a file.
  /// - Parameters:
  ///   - path: the file to write; no pipe, since its beginning is written last
  ///   - width: pixels a row, at most 2^20
  ///   - height: rows, at most 2^20
  ///   - kind: what the samples are
  ///   - pages: how many
  ///   - names: of the pages, one for each, or none
  ///   - pixelSize: how large a pixel is in what was photographed
  /// - Throws: `DataError` of kind `.cannotCreate`, or `.writeFailed`.
  /// - Precondition: there is a pixel and a page.
  public init(
    path: String, width: Int, height: Int, kind: Kind, pages: Int = 1, names: [String] = [],
    pixelSize: PixelSize? = nil
  ) throws(DataError) {
    var encoder = TIFFEncoder(
      layout: TIFFLayout(width: width, height: height, kind: kind), pages: pages, palette: kind.palette,
      pixelSize: pixelSize, names: names)
    let file = try AtomicFile(path: path)
    guard file.isSeekable else {
      throw DataError(
        .cannotCreate, file: path, expected: "a file for a TIFF picture", found: "a pipe or device")
    }
    try file.write(encoder.start())
    self.file = file
    self.kind = kind
    self.encoder = encoder
  }

  /// Takes the next rows of a page, `[rows, width]` or `[rows, width, 3]`; pages may grow side by side.
  /// - Precondition: samples of 8 bits, whole rows, and no more than the page has left.
  /// - Throws: `DataError` of kind `.writeFailed`.
  public mutating func append(_ samples: [UInt8], page: Int = 0) throws(DataError) {
    precondition(kind.sampleBytes == 1, "samples of 8 bits for a file of 16")
    try file.write(encoder.append(samples, page: page))
  }

  /// Takes the next rows of a page, `[rows, width]`; pages may grow side by side.
  /// - Precondition: samples of 16 bits, whole rows, and no more than the page has left.
  /// - Throws: `DataError` of kind `.writeFailed`.
  public mutating func append(_ samples: [UInt16], page: Int = 0) throws(DataError) {
    precondition(kind.sampleBytes == 2, "samples of 16 bits for a file of 8")
    let bytes = [UInt8](unsafeUninitializedCapacity: 2 * samples.count) { bytes, filled in
      for (index, sample) in samples.enumerated() {
        bytes.initializeElement(at: 2 * index, to: UInt8(sample & 255))
        bytes.initializeElement(at: 2 * index + 1, to: UInt8(sample >> 8))
      }
      filled = 2 * samples.count
    }
    try file.write(encoder.append(bytes, page: page))
  }

  /// Completes the file and gives it its name.
  /// - Precondition: all rows of all pages were given.
  /// - Throws: `DataError` of kind `.writeFailed` or `.cannotCreate`.
  public consuming func finish() throws(DataError) {
    let (tail, place, patch) = encoder.finish()
    try file.write(tail)
    try file.overwrite(patch, at: place)
    try file.commit()
  }
}
