import Base
import Foundation

extension LabelMask {
  /// Reads labels from a PNG or TIFF file.
  ///
  /// - Indexed and grey files: the samples as stored, palette indices or grey values that are not scaled.
  /// - Grey files of 16 bits, and of 32 in TIFF: as long as all values are 0...255; the largest that there can be is
  ///   taken as 255, the ignored label.
  /// - Coloured files of 8 bits: the class of each colour, when all are exactly colours of `palette`; else
  ///   the grey value, when all three channels are equal everywhere.
  ///
  /// Alpha is dropped, and an orientation is not applied.
  /// - Parameters:
  ///   - path: the file
  ///   - page: of a TIFF file with several, counted from 0; nil for the first, with a notice of others
  ///   - palette: the colours of the classes
  ///   - inexactColors: given, every pixel of a coloured file of 8 bits is of the class whose colour is nearest, and this
  ///     counts those of other colours; JPEG files are read too. Nil for exact colours alone
  ///   - notices: of what was guessed or dropped, and of flaws of the file that cost no label
  /// - Throws: `DataError`; other coloured pictures, values above 255 and JPEG files are refused.
  public init(
    contentsOf path: String, page: Int? = nil, palette: Palette? = nil, inexactColors: InexactColors? = nil,
    notices: Notices = Notices()
  ) throws(DataError) {
    let file = try MappedFile(path: path)
    self = try LabelMask(
      file.bytes, page: page, path: path, palette: palette, inexactColors: inexactColors, notices: notices)
  }

  /// Reads labels from a PNG or TIFF file.
  /// - Throws: `DataError`, see `init(contentsOf:page:palette:notices:)` with a path.
  public init(
    contentsOf url: URL, page: Int? = nil, palette: Palette? = nil, notices: Notices = Notices()
  ) throws(DataError) {
    try self.init(contentsOf: url.path, page: page, palette: palette, notices: notices)
  }

  /// Decodes the bytes of a PNG or TIFF file; `name` stands for the file in messages.
  /// - Throws: `DataError`, see `init(contentsOf:page:palette:notices:)`.
  public init(
    decoding bytes: [UInt8], page: Int? = nil, name: String = "mask", palette: Palette? = nil,
    notices: Notices = Notices()
  ) throws(DataError) {
    self = try bytes.decoded { (bytes) throws(DataError) in
      try LabelMask(bytes, page: page, path: name, palette: palette, inexactColors: nil, notices: notices)
    }
  }

  private init(
    _ bytes: UnsafeRawBufferPointer, page: Int?, path: String, palette: Palette?,
    inexactColors: InexactColors?,
    notices: Notices
  ) throws(DataError) {
    let format = try FileFormat(contents: bytes, path: path)
    if let inexactColors, let palette, try Self.isColored(bytes, format, page: page, path: path) {
      self = try Self.nearest(
        in: Image(
          contents: bytes, page: page, path: path, reading: PictureReading(orientation: .ignore),
          notices: notices),
        palette: palette, page: page, path: path, counting: inexactColors, notices: notices)
      return
    }
    switch format {
    case .png:
      try Image.checkPage(page, of: 1, path: path)
      self = try PNG.mask(bytes, palette: palette, path: path, notices: notices)
    case .tiff:
      self = try TIFF.mask(bytes, page: page, palette: palette, path: path, notices: notices)
    case .jpeg:
      throw DataError(
        .unsupported, file: path, expected: "labels: a PNG or TIFF file",
        found: "a JPEG picture, whose compression changes labels"
          + (inexactColors == nil
            ? "; --nearest-colors takes each pixel for the class of the nearest colour"
            : ", and there are no colours of classes to compare it with"))
    }
  }

  /// Writes a PNG or TIFF file, whichever the extension says: indexed with the colours of `palette`, or grey without. The
  /// labels are what is read again, whatever the palette; one too short is filled up with black.
  /// - Parameters:
  ///   - path: the file to write, `.png`, `.tif` or `.tiff`
  ///   - palette: the colours of the classes
  ///   - pixelSize: how large a pixel is in what was photographed
  /// - Throws: `DataError`; also for an extension other than png, tif or tiff.
  public func write(
    to path: String, palette: Palette? = nil, pixelSize: PixelSize? = nil
  ) throws(DataError) {
    switch try FileFormat(extensionOf: path) {
    case .png:
      let file = try encoded(palette: palette, name: path)
      try AtomicFile.write(pixelSize.map { PNG.adding($0, to: file) } ?? file, to: path)
    case .tiff:
      var writer = try TIFFWriter(
        path: path, width: width, height: height, kind: .labels(palette), pixelSize: pixelSize)
      try writer.append(labels)
      try writer.finish()
    case .jpeg:
      throw DataError(
        .invalidArgument, file: path, item: "extension", expected: "png, tif or tiff for a mask",
        found: "jpeg, whose compression changes labels")
    }
  }

  /// The bytes of a PNG file, see `write(to:palette:pixelSize:)`.
  /// - Throws: `DataError` when libpng fails.
  public func encoded(palette: Palette? = nil, name: String = "mask") throws(DataError) -> [UInt8] {
    try PNG.encode(self, palette: palette, path: name)
  }
}

extension Palette {
  /// The colours of an indexed PNG or TIFF file; nil when the file is not indexed.
  /// - Throws: `DataError` when it is no sound picture.
  public init?(contentsOf path: String) throws(DataError) {
    let file = try MappedFile(path: path)
    switch try FileFormat(contents: file.bytes, path: path) {
    case .png:
      guard let palette = try PNG.palette(file.bytes, path: path) else { return nil }
      self = palette
    case .tiff:
      let page = try TIFF.page(file.bytes, 0, path: path, notices: Notices())
      guard case .palette(let colors) = page.colors else { return nil }
      self = Palette(colors: Array(colors.prefix(256)))
    case .jpeg: return nil
    }
  }
}
