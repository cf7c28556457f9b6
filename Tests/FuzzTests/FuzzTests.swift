import Base
import Foundation
import TestSupport
import Testing

/// Changed files of every kind are read or refused with a `DataError`: never a crash, a hang or a lot of memory.
///
/// Some inputs of every kind in every test run; more, of one kind, in a process of its own with `Scripts/fuzz.sh`.
struct FuzzTests {
  private static let quickInputs = 200

  @Test(arguments: FuzzTarget.names)
  func seedsAreRead(_ name: String) throws {
    guard LongRun.ofThisProcess == nil else { return }
    let target = try FuzzTarget.named(name)
    let folder = try TemporaryFolder()
    for (index, seed) in target.seeds.enumerated() {
      let path = try folder.file("seed.\(target.ending)", seed)
      do {
        try target.read(path)
      } catch let error as DataError {
        // Arrays and weights that are sound but not those of a network, and arrays that are no masks.
        #expect(["torch-zip", "torch-legacy", "safetensors", "npy"].contains(name), "\(index): \(error)")
      }
    }
  }

  @Test(arguments: FuzzTarget.names)
  func changedFilesAreReadOrRefused(_ name: String) throws {
    let long = LongRun.ofThisProcess
    if let long, long.format != name { return }
    let target = try FuzzTarget.named(name)
    let folder = try TemporaryFolder()
    let path = "\(long?.folder ?? folder.path)/input.\(target.ending)"
    let inputs = long?.inputs ?? 0..<Self.quickInputs
    let memory = long.map { _ in PeakMemory() }
    var read = 0
    for input in inputs {
      try long?.begin(input)
      var dice = Dice(seed: long?.seed ?? 0, input: input)
      var bytes = dice.pick(target.seeds)
      for _ in 0...dice.below(3) { dice.pick(target.mutations)(&bytes, &dice) }
      try Data(bytes).write(to: URL(filePath: path))
      do {
        try target.read(path)
        read += 1
      } catch is DataError {
      } catch {
        Issue.record("input \(input): \(error)")
      }
      long?.end()
      if let memory, let long, memory.growth > long.mostBytes {
        try #require(Bool(false), "input \(input): \(memory.growth >> 20) MB")
      }
    }
    if long != nil { print("\(name): \(inputs.count) inputs, of which \(read) were read") }
    // Changes that leave nothing readable would test little.
    #expect(read > 0 || inputs.count < 1000)
  }
}

/// What `Scripts/fuzz.sh` asks for.
struct LongRun {
  let format: String
  let seed: UInt64
  let inputs: Range<Int>
  /// Holds the input and its number, from before it is read: what is left there after a crash is what it came from.
  let folder: String
  let mostBytes = 512 << 20
  private let mostProcessorSeconds = 3
  private let mostSeconds: UInt32 = 60

  static let ofThisProcess = LongRun(ProcessInfo.processInfo.environment)

  private init?(_ environment: [String: String]) {
    guard let format = environment["DSEG_FUZZ_FORMAT"], let folder = environment["DSEG_FUZZ_FOLDER"] else {
      return nil
    }
    let (first, count) = (
      Int(environment["DSEG_FUZZ_FIRST"] ?? "") ?? 0, Int(environment["DSEG_FUZZ_COUNT"] ?? "") ?? 0
    )
    self.format = format
    self.folder = folder
    seed = UInt64(environment["DSEG_FUZZ_SEED"] ?? "") ?? 0
    inputs = first..<max(first, count)
  }

  /// Notes the input, and ends the process when it takes too long.
  func begin(_ input: Int) throws {
    try Data("\(input)".utf8).write(to: URL(filePath: "\(folder)/number"))
    alarm(mostSeconds)
    limitProcessor(mostProcessorSeconds)
  }

  func end() {
    alarm(0)
    limitProcessor(0)
  }

  private func limitProcessor(_ seconds: Int) {
    var timer = itimerval()
    timer.it_value.tv_sec = seconds
    #if os(Linux)
      setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
    #else
      setitimer(ITIMER_PROF, &timer, nil)
    #endif
  }
}

/// Resident memory of this process, where the system tells.
private struct PeakMemory {
  private let start: Int

  init() {
    if let file = fopen("/proc/self/clear_refs", "w") {
      fputs("5", file)
      fclose(file)
    }
    start = Self.peak
  }

  /// Bytes that the largest has been above the beginning.
  var growth: Int { Self.peak - start }

  private static var peak: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
    else { return 0 }
    return kilobytes * 1024
  }
}
