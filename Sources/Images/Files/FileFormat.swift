import Base

/// The picture formats that are read and written.
public enum FileFormat: Sendable, Hashable, CaseIterable {
  case png
  case jpeg
  case tiff

  /// Endings, in lower case and without the dot, of files that are read: all names of PNG, JPEG and TIFF.
  /// What is in a file is told by its content all the same.
  public static let readableExtensions: Set<String> = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "pjpeg", "pjp", "tif", "tiff",
    "btf", "tf8", "bigtiff",
  ]

  /// Those of them whose files can hold several pictures.
  public static let stackExtensions: Set<String> = ["tif", "tiff", "btf", "tf8", "bigtiff"]

  /// Endings, in lower case and without the dot, of pictures that are not read and have to be converted
  /// first.
  public static let unreadExtensions: Set<String> = [
    "webp", "bmp", "dib", "gif", "heic", "heif", "hif", "avif", "jp2", "j2k", "jpx",
    "jpf", "jxl", "jls", "psd", "xcf", "svg", "ico", "tga", "exr", "hdr", "qoi", "ppm", "pgm", "pbm", "pnm",
    "pam", "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "raw", "pef", "srw", "dcm", "nii", "czi",
    "lsm", "lif", "nd2", "svs", "ndpi", "fits",
  ]

  /// The format of a file to be written, by its extension in any case: png, jpg, jpeg, tif or tiff.
  /// - Throws: `DataError` of kind `.invalidArgument` for another extension.
  public init(extensionOf path: String) throws(DataError) {
    let name = path.split(separator: "/").last ?? ""
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    switch parts.count > 1 ? parts.last!.lowercased() : "" {
    case "png": self = .png
    case "jpg", "jpeg": self = .jpeg
    case "tif", "tiff": self = .tiff
    case let other:
      throw DataError(
        .invalidArgument, file: path, item: "extension", expected: "png, jpg, jpeg, tif or tiff",
        found: other.isEmpty ? "none" : other)
    }
  }
}
