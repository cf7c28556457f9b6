import Base
import Images
import TestSupport
import Testing

@Suite struct FileFormatTests {
  @Test(
    arguments: [
      ("GIF89a....", "a GIF file"), ("RIFF....WEBPVP8 ", "a WebP file"), ("BM......", "a BMP file"),
      ("II*\0....", "directory 1 at byte 774778414"), ("MM\0*", "a header that is cut off"),
      ("II+\0\u{8}\0\0\0", "a header that is cut off"),
      ("II*\0\u{10}\0\0\0CR\u{2}", "a Canon CR2"), ("\0\0\0\u{18}ftypheic", "a HEIF file"),
      ("\0\0\0\u{18}ftypmif1", "a HEIF file"), ("\0\0\0\u{18}ftypavif", "an AVIF file"),
      ("\0\0\0\u{18}ftypcrx ", "a Canon CR3"), ("\0\0\0\u{14}ftypqt  ", "a film"),
      ("\0\0\0\u{0C}jP  \r\n", "a JPEG 2000 file"), ("\0\0\0\u{0C}JXL \r\n", "a JPEG XL file"),
      ("v/1\u{1}", "an OpenEXR file"), ("8BPS\0\u{1}", "a Photoshop file"), ("PK\u{3}\u{4}", "a zip archive"),
      ("%PDF-1.7", "a PDF file"), ("qoif", "a QOI file"), ("P6\n1 1\n255\n", "a Netpbm file"),
      ("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
      ("\n <!DOCTYPE html><html>", "an HTML page"), ("<html lang=\"en\">", "an HTML page"),
      ("\u{FEFF}<?xml version=\"1.0\"?>\n<svg>", "an SVG file"), ("<svg xmlns=", "an SVG file"),
      ("<?xml version=\"1.0\"?><annotation>", "an XML file"), ("{\"shapes\": []}", "a JSON file"),
      ("\0\u{5}\u{16}\u{7}\0\u{2}", "a note of macOS"),
      ("", "an empty file"), ("\0\0\0", "3 zero bytes"), ("\u{1}\u{2}\u{3}", "bytes 01 02 03"),
    ])
  func `other files are refused by name`(content: String, found: String) throws {
    let error = try #require(throws: DataError.self) { try Image(decoding: Array(content.utf8), name: "x") }
    #expect(error.found.hasPrefix(found) && error.file == "x" && error.isAboutContent)
    #expect(throws: DataError.self) { try LabelMask(decoding: Array(content.utf8)) }
  }

  @Test(
    arguments: [
      ([0xFF, 0x0A, 0, 0], "a JPEG XL file"), ([0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 file"),
      ([0x93] + Array("NUMPY".utf8), "a NumPy file"), ([0x1F, 0x8B, 8], "a gzip file"),
      ([0x89, 0x48, 0x44, 0x46, 0x0D], "an HDF5 file"),
      ([0x89, 0x50, 0x4E, 0x47, 0x0A, 0x1A, 0x0A], "a PNG file that was copied as text"),
      (Array(repeating: 0x20, count: 128) + Array("DICM".utf8), "a DICOM file"),
    ] as [([UInt8], String)])
  func `other files are refused by their bytes`(content: [UInt8], found: String) throws {
    let error = try #require(throws: DataError.self) { try Image(decoding: content) }
    #expect(error.found.hasPrefix(found))
  }

  @Test func `endings are lower case, and known once`() {
    let (read, unread) = (FileFormat.readableExtensions, FileFormat.unreadExtensions)
    #expect(read.isDisjoint(with: unread))
    #expect(read.union(unread).allSatisfy { $0 == $0.lowercased() && !$0.contains(".") })
    #expect(read.isSuperset(of: ["png", "jpg", "jpeg", "jfif", "jpe", "tif", "tiff", "btf"]))
    #expect(unread.isSuperset(of: ["webp", "bmp", "gif", "heic", "heif", "dng"]))
  }
}
