import Augment
import Base
import Images

/// What becomes of a file of pictures without labels before it is kept in memory.
struct PictureForm: Sendable {
  /// Side of the squares that a network sees.
  var imageSize: Int
  /// Whether whole pictures are kept rather than their middles.
  var keepsWhole: Bool
  var crop: PictureCrop
  /// How files become pictures.
  var reading: PictureReading

  /// The size at which a picture is cut; nil where it is not cut at random places. Only headers are read.
  /// - Throws: `DataError` when the file is no picture, or does not tell what the scale depends on.
  func canvas(of file: PictureFile) throws(DataError) -> CropCanvas? {
    guard case .random(let scale) = crop else { return nil }
    let page = file.page ?? 0
    let size = try Image.size(ofFile: file.path, page: page, orientation: reading.orientation)
    var pixelSize: PixelSize?
    if case .pixelSize = scale { pixelSize = try Image.pixelSize(ofFile: file.path, page: page) }
    return try crop.canvas(
      width: size.width, height: size.height, side: imageSize, pixelSize: pixelSize, name: file.title)
  }

  /// Decodes a picture: its middle, all of it, or all of it at the size at which it is cut where that is the smaller
  /// one.
  /// - Parameters:
  ///   - file: the picture
  ///   - canvas: the size at which it is cut
  ///   - isKept: whether it will be in memory; one of which a few squares are cut at once need not be scaled as a whole
  ///   - notices: told of what is peculiar about it
  /// - Throws: `DataError` when it cannot be read, or has another size than it had.
  func read(
    _ file: PictureFile, canvas: CropCanvas?, isKept: Bool = true, notices: Notices
  ) throws(DataError) -> Image {
    guard let canvas else {
      let image = try file.image(reading: reading, notices: notices)
      return keepsWhole ? image : image.centerCropped(size: imageSize)
    }
    let fits = isAcceptableSize(width: canvas.originalWidth, height: canvas.originalHeight)
    let isScaled = canvas.isSmaller && (isKept || !fits)
    if isScaled && !fits {
      return try scaled(file, to: canvas, notices: notices)
    }
    let image = try file.image(reading: reading, notices: notices)
    try check(width: image.width, height: image.height, of: file, canvas)
    return isScaled ? canvas.apply(image) : image
  }

  /// Rows of a scaled picture that are made at a time.
  private static let rows = 64

  /// A picture that is too large for memory before it is scaled.
  private func scaled(
    _ file: PictureFile, to canvas: CropCanvas, notices: Notices
  ) throws(DataError) -> Image {
    let stream = try PictureStream(
      contentsOf: file.path, page: file.page, reading: reading, notices: notices)
    try check(width: stream.width, height: stream.height, of: file, canvas)
    guard isAcceptableSize(width: canvas.width, height: canvas.height) else {
      throw DataError(
        .unsupported, file: file.title, item: "size", expected: "at most \(Image.maximumPixelCount) pixels",
        found: "\(canvas.width) x \(canvas.height)")
    }
    var source = ScaledRows(stream, width: canvas.width, height: canvas.height)
    var pixels: [UInt8] = []
    for start in stride(from: 0, to: canvas.height, by: Self.rows) {
      pixels += try source.read(start..<min(canvas.height, start + Self.rows)).pixels
    }
    return Image(width: canvas.width, height: canvas.height, pixels: pixels)
  }

  /// How many times more rows than it takes a picture has whose squares are read from the file one by one.
  private static let leastRatioOfRows = 16

  /// Reads a square of a picture that is not kept in memory, and no more of the file than that takes; nil where it
  /// is better to decode the whole picture.
  /// - Throws: `DataError` when it cannot be read, or has another size than it had.
  func square(
    _ tile: Tile, of file: PictureFile, canvas: CropCanvas, notices: Notices
  ) throws(DataError) -> Image? {
    let geometry = canvas.geometry(of: tile)
    let rows = geometry.sourceRows
    let fits = isAcceptableSize(width: canvas.originalWidth, height: canvas.originalHeight)
    guard rows.count * Self.leastRatioOfRows <= canvas.originalHeight || !fits,
      isAcceptableSize(width: canvas.originalWidth, height: rows.count),
      try PictureStream.readsParts(ofFile: file.path, page: file.page, reading: reading)
    else { return nil }
    let stream = try PictureStream(
      contentsOf: file.path, page: file.page, reading: reading, notices: notices)
    try check(width: stream.width, height: stream.height, of: file, canvas)
    try stream.skip(to: rows.lowerBound)
    guard let image = try stream.read(rows: rows.count) else {
      preconditionFailure("rows \(rows) of \(stream.height)")
    }
    return geometry.apply(RowWindow(image: image, rows: rows, height: stream.height))
  }

  private func check(
    width: Int, height: Int, of file: PictureFile, _ canvas: CropCanvas
  ) throws(DataError) {
    guard width == canvas.originalWidth, height == canvas.originalHeight else {
      throw DataError(
        .malformed, file: file.title, item: "size",
        expected: "\(canvas.originalWidth) x \(canvas.originalHeight), as before",
        found: "\(width) x \(height)")
    }
  }
}
