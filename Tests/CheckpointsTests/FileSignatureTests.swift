import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("Files that take the place of checkpoints")
struct FileSignatureTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(
    "are named",
    arguments: [
      (Array("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n".utf8), "git lfs pull"),
      (Array("<!DOCTYPE html>\n<html lang=en>".utf8), "web page"), (Array("\n  <HTML>".utf8), "web page"),
      (Array("\u{FEFF}<?xml version='1.0'?><Error>".utf8), "web page"),
      (Array("{\"error\": \"no such file\"}".utf8), "JSON"), ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], "gzip"),
      ([0xFD] + Array("7zXZ\0".utf8), "xz"), ([0x28, 0xB5, 0x2F, 0xFD, 0], "zstd"),
      ([UInt8](repeating: 0, count: 257) + Array("ustar\0".utf8), "tar"),
      ([0x93] + Array("NUMPY".utf8), "NumPy"), ([0x89] + Array("HDF\r\n".utf8), "HDF5"),
    ] as [([UInt8], String)], [".pt", ".safetensors"])
  func named(file: ([UInt8], String), ending: String) throws {
    expectRefusal(.malformed, mentions: "x\(ending)", file.1) {
      _ = try Checkpoint(contentsOf: folder.file("x\(ending)", file.0))
    }
  }

  /// A length of 8827 is written as the bytes of `{"`.
  @Test("a header of any length is one", arguments: [8827, 35615, 0x685A42 & 0xFFFF])
  func anyLength(length: Int) throws {
    let text = Array("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}".utf8)
    var bytes: [UInt8] = []
    bytes.append(UInt64(length))
    bytes += text + [UInt8](repeating: 0x20, count: length - text.count) + [9]
    #expect(try Checkpoint(contentsOf: folder.file("x.bin", bytes)).array(named: "t").int64s() == [9])
  }

  @Test("zip archives without PyTorch's objects")
  func zips() throws {
    for (entry, word) in [("model.pt", "unpack"), ("a.npy", "NumPy"), ("readme.txt", "readme.txt")] {
      var zip = ZipBytes()
      zip.entries = [ZipBytes.Entry(entry, [1])]
      expectRefusal(.malformed, mentions: "x.pt", word) {
        _ = try Checkpoint(contentsOf: folder.file("x.pt", zip.bytes))
      }
    }
  }

  @Test("folders", arguments: [("model_index.json", "diffusers"), ("data.pkl", ".pt"), ("other", "folder")])
  func folders(name: String, word: String) throws {
    _ = try folder.file(name, [1])
    expectRefusal(.noInput, mentions: word) { _ = try Checkpoint(contentsOf: folder.url.path) }
  }
}
