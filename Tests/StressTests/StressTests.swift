import Foundation
import Synchronization
import TensorCore
import Testing

/// Several callers in one process do the same work again and again while each other's jobs hold the thread pool and
/// the number of threads changes under them. Every result must have the bits of the first one.
///
/// A few rounds in every test run; more with `Scripts/stress.sh`, which sets `DSEG_STRESS` to the rounds of each caller.
struct StressTests {
  private static let wanted = ProcessInfo.processInfo.environment["DSEG_STRESS"].flatMap { Int($0) }
  private static let rounds = max(1, wanted ?? 1)
  /// More than any machine that this runs on has processors for is not needed: two already share one pool.
  private static let callers = wanted == nil ? 2 : 6

  @Test func everyCallerGetsTheSameBits() throws {
    let alone = try Threads.withCount(1) { try StressWork().run(order: 0).sorted { $0.name < $1.name } }
    // What a build with other buffers is compared with.
    if Self.wanted != nil { for item in alone { print("bits of \(item.name): \(item.bits)") } }
    let expected = Dictionary(uniqueKeysWithValues: alone.map { ($0.name, $0.bits) })

    let differences = Mutex<[String]>([])
    let results = Atomic<Int>(0)
    let isDone = Atomic<Bool>(false)
    let group = DispatchGroup()
    for caller in 0..<Self.callers {
      start(in: group) {
        do {
          let work = try StressWork()
          for round in 0..<Self.rounds {
            for item in try work.run(order: caller + round) {
              results.add(1, ordering: .relaxed)
              guard item.bits != expected[item.name] else { continue }
              differences.withLock { $0.append("\(item.name), caller \(caller), round \(round)") }
            }
          }
        } catch {
          differences.withLock { $0.append("caller \(caller): \(error)") }
        }
      }
    }
    let changing = DispatchGroup()
    // For the whole process, so only where no other tests run.
    if Self.wanted != nil {
      start(in: changing) {
        let before = Threads.count
        var random = Philox(seed: 1)
        while !isDone.load(ordering: .relaxed) {
          Threads.count = 1 + Int(random.nextWord() % 8)
          usleep(random.nextWord() % 3000)
        }
        Threads.count = before
      }
    }
    group.wait()
    isDone.store(true, ordering: .relaxed)
    changing.wait()
    #expect(differences.withLock { $0 } == [])
    #expect(results.load(ordering: .relaxed) == Self.callers * Self.rounds * alone.count)
    if Self.wanted != nil { print("\(results.load(ordering: .relaxed)) results compared") }
  }

  private func start(in group: DispatchGroup, _ body: @escaping @Sendable () -> Void) {
    group.enter()
    let thread = Thread {
      body()
      group.leave()
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
}
