import Base

extension FileFormat {
  /// The format of a file's bytes; `path` is only for the message.
  /// - Throws: `DataError` of kind `.unsupported` for formats known by name, with what to do about them;
  ///   else `.malformed`.
  init(contents: UnsafeRawBufferPointer, path: String) throws(DataError) {
    let start = Array(contents.prefix(1024))
    func failure(_ kind: DataError.Kind, _ found: String) -> DataError {
      DataError(kind, file: path, expected: "a PNG, JPEG or TIFF picture", found: found)
    }
    if start.starts(with: Self.pngSignature) {
      self = .png
    } else if start.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if Self.tiffSignatures.contains(where: { start.starts(with: $0) })
      && Self.signedFormat(start) == nil
    {
      self = .tiff
    } else if start.isEmpty {
      throw failure(.malformed, "an empty file")
    } else if contents.allSatisfy({ $0 == 0 }) {
      throw failure(.malformed, "\(contents.count) zero bytes: a copy that was never finished?")
    } else if let damage = Self.pngDamage(start) {
      throw failure(.malformed, damage)
    } else if let other = Self.boxedFormat(start) ?? Self.signedFormat(start) ?? Self.textFormat(start) {
      throw failure(.unsupported, other)
    } else {
      let digits = start.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      throw failure(.malformed, "bytes \(digits.joined(separator: " "))")
    }
  }

  private static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// TIFF and BigTIFF, of either order of bytes. Raw files of some cameras begin with it and go on in their own way.
  private static let tiffSignatures = ["II*\0", "MM\0*", "II+\0", "MM\0+"].map { Array($0.utf8) }

  /// The signature of PNG is made to show what programs do that take a file for text.
  private static func pngDamage(_ start: [UInt8]) -> String? {
    guard start.dropFirst().starts(with: Array("PNG".utf8)) else { return nil }
    return "a PNG file that was copied as text, which changes its bytes: copy it again as binary"
  }

  private static func begins(_ start: [UInt8], _ signature: [UInt8], at offset: Int = 0) -> Bool {
    start.dropFirst(offset).starts(with: signature)
  }

  /// Files of boxes (ISO/IEC 14496-12) say by their brand what they are.
  private static func boxedFormat(_ start: [UInt8]) -> String? {
    guard begins(start, Array("ftyp".utf8), at: 4) else { return nil }
    switch String(decoding: start.dropFirst(8).prefix(4), as: UTF8.self) {
    case "avif", "avis": return "an AVIF file: convert it to PNG"
    case "crx ": return "a Canon CR3 raw file: develop it to PNG or JPEG"
    case "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "mif2", "msf1":
      return "a HEIF file: convert it to PNG or JPEG (phones: choose the most compatible format)"
    default: return "a film (MP4 or QuickTime): take single pictures out of it"
    }
  }

  private static func signedFormat(_ start: [UInt8]) -> String? {
    signedFormats.first { begins(start, $0.signature, at: $0.offset) }?.name
  }

  private static let signedFormats: [(name: String, signature: [UInt8], offset: Int)] = {
    func text(_ name: String, _ signature: String, _ offset: Int = 0) -> (String, [UInt8], Int) {
      (name, Array(signature.utf8), offset)
    }
    let convert = "convert it to PNG"
    return [
      text("a GIF file: \(convert)", "GIF8"), text("a WebP file: \(convert)", "WEBP", 8),
      text("a BMP file: \(convert)", "BM"), text("a Photoshop file: export it as PNG", "8BPS"),
      text("a GIMP file: export it as PNG", "gimp xcf"),
      text("a Canon CR2 raw file: develop it to PNG or JPEG", "CR\u{2}", 8),
      text("a Fujifilm raw file: develop it to PNG or JPEG", "FUJIFILM"),
      text("an Olympus raw file: develop it to PNG or JPEG", "IIRO"),
      ("a JPEG 2000 file: \(convert)", [0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20], 0),
      ("a JPEG 2000 file: \(convert)", [0xFF, 0x4F, 0xFF, 0x51], 0),
      ("a JPEG XL file: \(convert)", [0xFF, 0x0A], 0),
      ("a JPEG XL file: \(convert)", [0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20], 0),
      ("an OpenEXR file: \(convert)", [0x76, 0x2F, 0x31, 0x01], 0),
      text("a Radiance file: \(convert)", "#?RADIANCE"), text("a QOI file: \(convert)", "qoif"),
      text("a FITS file: \(convert)", "SIMPLE  ="), text("a DICOM file: \(convert)", "DICM", 128),
      ("an icon file: \(convert)", [0, 0, 1, 0], 0),
      ("an MNG file: \(convert)", [0x8A, 0x4D, 0x4E, 0x47], 0),
      ("an HDF5 file: \(convert)", [0x89, 0x48, 0x44, 0x46], 0),
      ("a NumPy file", [0x93] + Array("NUMPY".utf8), 0),
      ("a note of macOS about another file (AppleDouble): delete it", [0, 5, 0x16, 7], 0),
      text("a zip archive: unpack it", "PK\u{3}\u{4}"), ("a gzip file: unpack it", [0x1F, 0x8B], 0),
      text("a RAR archive: unpack it", "Rar!"), ("a 7z archive: unpack it", [0x37, 0x7A, 0xBC, 0xAF], 0),
      text("a PDF file: export its pictures", "%PDF"),
    ]
  }()

  /// Texts that stand where a picture should.
  private static func textFormat(_ start: [UInt8]) -> String? {
    let marks: Set<UInt8> = [0xEF, 0xBB, 0xBF, 0x20, 0x09, 0x0A, 0x0D]
    let text = String(decoding: start.drop { marks.contains($0) }, as: UTF8.self).lowercased()
    if text.hasPrefix("version https://git-lfs") || text.hasPrefix("version https://hawser") {
      return "a Git LFS pointer: fetch the picture with `git lfs pull`"
    }
    if text.hasPrefix("<svg") || (text.hasPrefix("<?xml") && text.contains("<svg")) {
      return "an SVG file: draw it as PNG"
    }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
      return "an HTML page: what was downloaded is not the picture"
    }
    if text.hasPrefix("<?xml") { return "an XML file" }
    if text.hasPrefix("{") || text.hasPrefix("[") { return "a JSON file" }
    let netpbm = text.utf8.prefix(3)
    if netpbm.count == 3, netpbm.first == UInt8(ascii: "p"),
      "1234567".utf8.contains(netpbm.dropFirst().first!),
      marks.contains(netpbm.last!)
    {
      return "a Netpbm file: convert it to PNG"
    }
    return nil
  }
}
