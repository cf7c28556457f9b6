import Synchronization
import TensorCore
import Testing

@testable import Base

@Suite struct NoticesTests {
  @Test func eachIsKeptAndToldOnce() {
    let told = Mutex([String]())
    let notices = Notices { notice in told.withLock { $0.append(notice.description) } }
    for _ in 0..<3 { notices.add(.lost, file: "a.png", item: "class 2", "no pixel is left") }
    notices.add(.lost, file: "b.png", item: "class 2", "no pixel is left")
    #expect(notices.all.map(\.file) == ["a.png", "b.png"])
    #expect(
      told.withLock { $0 } == [
        "lost: a.png: class 2: no pixel is left", "lost: b.png: class 2: no pixel is left",
      ])
  }

  @Test func whatIsLeftOutIsAnErrorWhereTheyAreStrict() throws {
    let error = DataError(.malformed, file: "a.png", item: "size", expected: "one", found: "none")
    let notices = Notices()
    try notices.leaveOut(error)
    #expect(notices.all == [Notice(.leftOut, file: "a.png", item: "size", "expected one, found none")])
    notices.isStrict = true
    #expect(throws: error) { try notices.leaveOut(error) }
    #expect(notices.all.count == 1)
  }

  @Test func fromManyThreads() {
    let notices = Notices()
    parallelFor(100) { notices.add(.changed, file: "\($0 % 10)", "turned") }
    #expect(Set(notices.all.map(\.file)).count == 10 && notices.all.count == 10)
  }
}
