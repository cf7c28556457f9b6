import Base

extension Image {
  /// Columns and rows of a picture as it is read; only headers are looked at.
  /// - Parameters:
  ///   - path: a PNG, JPEG or TIFF file
  ///   - page: of a TIFF file with several, counted from 0
  ///   - orientation: whether it is turned as its file says
  /// - Throws: `DataError` when there is no such file or page, or it is no picture.
  public static func size(
    ofFile path: String, page: Int = 0, orientation: OrientationHandling = .apply
  ) throws(DataError) -> (width: Int, height: Int) {
    let file = try MappedFile(path: path)
    let (width, height): (Int, Int)
    switch try FileFormat(contents: file.bytes, path: path) {
    case .png:
      let header = try PNG.header(file.bytes, path: path)
      (width, height) = (Int(header.width), Int(header.height))
    case .jpeg: (width, height) = try JPEG.size(file.bytes, path: path)
    case .tiff:
      let header = try TIFF.page(file.bytes, page, path: path, notices: Notices())
      (width, height) = (header.width, header.height)
    }
    // Orientations above 4 lay a picture on its side.
    guard orientation == .apply else { return (width, height) }
    return try Image.orientation(ofFile: path, page: page) > 4 ? (height, width) : (width, height)
  }
}
