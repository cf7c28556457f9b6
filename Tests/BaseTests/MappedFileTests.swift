import Base
import Foundation
import TensorCore
import TestSupport
import Testing

struct MappedFileTests {
  /// Nobody writes to the pipe: opening it in the usual way would wait for ever.
  @Test(.timeLimit(.minutes(1))) func pipesAndDevicesAreRefusedAtOnce() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    for (path, word) in [(folder.path("pipe"), "pipe"), ("/dev/null", "device"), ("/dev/zero", "device")] {
      let error = #expect(throws: DataError.self) { try MappedFile(path: path) }
      #expect(error?.isAboutContent == true && error?.found.contains(word) == true)
    }
    let error = #expect(throws: DataError.self) { try MappedFile(path: folder.path) }
    #expect(error?.kind == .noInput && error?.found == "a folder")
    #expect(throws: DataError.self) { try MappedFile(path: folder.path("absent")) }
  }

  @Test func filesAndLinksAreRead() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("file", [1, 2, 3])
    try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: path)
    let file = try MappedFile(path: folder.path("link"))
    withExtendedLifetime(file) { #expect(Array(file.bytes) == [1, 2, 3]) }
    #expect(try MappedFile(path: folder.file("empty", [])).bytes.isEmpty)
  }

  @Test(arguments: [0, 1, 5, 300_000])
  func numbersThatAreNoneAreCounted(count: Int) {
    var elements = [Float](repeating: 1, count: count)
    #expect(Tensor(elements, shape: [count]).nonFiniteCount == 0)
    for (index, value) in [Float.nan, .infinity, -.infinity, .signalingNaN, .greatestFiniteMagnitude, -0]
      .enumerated()
    where index * 59_999 < count { elements[index * 59_999] = value }
    let expected = elements.filter { !$0.isFinite }.count
    #expect(Tensor(elements, shape: [count]).nonFiniteCount == expected)
  }
}
