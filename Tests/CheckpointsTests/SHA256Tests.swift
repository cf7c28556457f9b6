import Checkpoints
import TestSupport
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  // NIST, "Cryptographic Standards and Guidelines: Examples", and "SHA Test Vectors".
  @Test(
    "known digests",
    arguments: [
      ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func knownDigests(text: String, count: Int, digest: String) {
    let bytes = Array(String(repeating: text, count: count).utf8)
    #expect(SHA256.hexadecimal(SHA256.digest(of: bytes)) == digest)
  }

  @Test("bytes may come in pieces of any length")
  func pieces() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * $0) }
    let whole = SHA256.digest(of: bytes)
    for length in [1, 3, 63, 64, 65, 127, 500] {
      var hash = SHA256()
      for start in stride(from: 0, to: bytes.count, by: length) {
        bytes[start..<min(start + length, bytes.count)].withUnsafeBytes { hash.update($0) }
      }
      #expect(hash.digest() == whole, "\(length)")
    }
  }

  @Test("every length around the padding gives its own digest")
  func lengths() {
    let digests = Set((0..<200).map { SHA256.digest(of: [UInt8](repeating: 0, count: $0)) })
    #expect(digests.count == 200)
  }

  @Test("files, also an empty one and none")
  func files() throws {
    let folder = try TemporaryFolder()
    #expect(
      try SHA256.hexadecimalDigest(ofFile: folder.file("abc", Array("abc".utf8)))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      try SHA256.hexadecimalDigest(ofFile: folder.file("empty", []))
        == SHA256.hexadecimal(SHA256.digest(of: [])))
    expectRefusal(.noInput, mentions: "absent") {
      _ = try SHA256.hexadecimalDigest(ofFile: folder.path("absent"))
    }
  }
}
