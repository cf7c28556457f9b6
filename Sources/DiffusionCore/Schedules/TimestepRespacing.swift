import Base

/// Which of the original steps a shortened process keeps.
public struct TimestepRespacing: Sendable, Equatable {
  /// Kept steps, ascending.
  public let timesteps: [Int]
  /// Number of steps of the original process.
  public let originalSteps: Int

  /// All steps.
  public init(all steps: Int) {
    timesteps = Array(0..<steps)
    originalSteps = steps
  }

  /// From guided-diffusion's notation (`respace.py`, `space_timesteps`): `"ddimN"` takes every i-th step for
  /// the whole i that gives N; `"a,b,c"` cuts the process into equal sections and takes that many steps,
  /// evenly spread, from each.
  /// - Throws: `DataError` when the notation is not understood or asks for more steps than there are.
  public init(_ notation: String, steps: Int) throws(DataError) {
    originalSteps = steps
    if notation.hasPrefix("ddim") {
      guard let wanted = Int(notation.dropFirst(4)), wanted > 0 else { throw Self.notUnderstood(notation) }
      guard let stride = (1..<max(steps, 2)).first(where: { (steps + $0 - 1) / $0 == wanted }) else {
        throw DataError(
          .invalidArgument, file: "respacing", item: notation,
          expected: "a number of steps that a whole stride through \(steps) steps gives", found: "\(wanted)")
      }
      timesteps = Array(Swift.stride(from: 0, to: steps, by: stride))
    } else {
      var counts: [Int] = []
      for part in notation.split(separator: ",", omittingEmptySubsequences: false) {
        guard let count = Int(part), count > 0 else { throw Self.notUnderstood(notation) }
        counts.append(count)
      }
      timesteps = try Self.sections(counts, steps: steps, notation: notation)
    }
  }

  private static func sections(_ counts: [Int], steps: Int, notation: String) throws(DataError) -> [Int] {
    var kept: [Int] = []
    var start = 0
    for (index, count) in counts.enumerated() {
      let size = steps / counts.count + (index < steps % counts.count ? 1 : 0)
      guard size >= count else {
        throw DataError(
          .invalidArgument, file: "respacing", item: notation,
          expected: "at most \(size) steps in section \(index)", found: "\(count)")
      }
      let stride = count <= 1 ? 1 : Double(size - 1) / Double(count - 1)
      var position = 0.0
      for _ in 0..<count {
        kept.append(start + Int(position.rounded(.toNearestOrEven)))
        position += stride
      }
      start += size
    }
    return kept
  }

  private static func notUnderstood(_ notation: String) -> DataError {
    DataError(
      .invalidArgument, file: "respacing", expected: "\"ddimN\" or positive numbers joined by commas",
      found: "\"\(notation)\"")
  }
}
