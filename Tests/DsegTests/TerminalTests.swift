import Foundation
import TestSupport
import Testing

/// What the program shows on a terminal.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: "/dev/ptmx")))
struct TerminalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What `dseg scenes` writes to a terminal of so many columns.
  private func shown(columns: UInt16 = 80, _ environment: [String: String]) throws -> String {
    // `posix_openpt` and its kin are not among what Swift imports of glibc; these are TIOCSPTLCK and TIOCGPTN.
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    defer { close(terminal) }
    var (unlocked, number): (Int32, UInt32) = (0, 0)
    try #require(
      terminal >= 0 && ioctl(terminal, 0x4004_5431, &unlocked) == 0
        && ioctl(terminal, 0x8004_5430, &number) == 0)
    let name = "/dev/pts/\(number)"
    let program = open(name, O_RDWR | O_NOCTTY)
    try #require(program >= 0)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    #expect(ioctl(program, UInt(TIOCSWINSZ), &size) == 0)
    let process = try DsegProcess.start(
      ["scenes", "--count", "3", "--image-size", "32", "--output", folder.path("s")], terminal: program,
      environment: environment)
    process.waitUntilExit()
    // All that was written waits in the terminal; it ends when nobody has the other end any more.
    close(program)
    var text = [UInt8]()
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(terminal, &piece, piece.count)
      if count <= 0 { break }
      text += piece[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }

  private let utf8 = ["TERM": "xterm", "LANG": "en_US.UTF-8"]

  @Test func aBarIsDrawnOver() throws {
    let text = try shown(utf8)
    #expect(text.contains("\u{1B}[2K") && text.contains("█") && text.contains("100 %"))
  }

  @Test(arguments: [["TERM": "dumb"], ["NO_COLOR": "1"], ["TERM": ""]])
  func withoutEscapeCodes(_ change: [String: String]) throws {
    let text = try shown(utf8.merging(change) { $1 })
    #expect(!text.contains("\u{1B}") && text.contains("scenes: 100 %"), "\(text)")
  }

  @Test(arguments: [
    ["LANG": "C"], ["LC_ALL": "POSIX"], ["LC_CTYPE": "de_DE.ISO-8859-1"], ["LANG": ""],
    ["LC_ALL": "C", "LC_CTYPE": "en_US.UTF-8"],
  ])
  func onlyASCIIWhereTheLocaleSaysSo(_ change: [String: String]) throws {
    let text = try shown(utf8.merging(change) { $1 })
    #expect(text.utf8.allSatisfy { $0 < 128 } && text.contains("#"), "\(text)")
  }

  @Test(arguments: [["LANG": "C", "LC_ALL": "C.utf8"], ["LANG": "", "LC_CTYPE": "en_US.UTF-8"]])
  func otherNamesOfUTF8(_ change: [String: String]) throws {
    #expect(try shown(utf8.merging(change) { $1 }).contains("█"))
  }

  @Test(arguments: [10, 24, 40, 60, 200] as [UInt16])
  func linesDoNotWrap(columns: UInt16) throws {
    let text = try shown(columns: columns, utf8)
    let lines = text.replacing("\r\n", with: "\r").split(separator: "\r").map {
      $0.replacing("\u{1B}[2K", with: "")
    }
    #expect(
      lines.allSatisfy { $0.count < Int(columns) } && lines.contains { $0.hasPrefix("scenes") }, "\(lines)")
  }
}
