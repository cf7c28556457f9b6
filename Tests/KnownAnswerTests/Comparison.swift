/// The outcome of holding one answer against its expectation.
struct Comparison {
  /// What is wrong; nil when everything is within its limits.
  var problem: String?
  /// Largest used share of any limit; 0 for exact comparisons that hold.
  var usedFraction: Double = 0
}

extension Comparison {
  /// - Parameter folder: where the expected tensors lie
  init(_ answer: Answer, to expectation: Expectation, in folder: String) throws {
    switch answer {
    case .value(let value):
      // A null in the manifest decodes like a missing key.
      guard expectation.file == nil else {
        problem = "a value was given where a tensor is expected"
        return
      }
      let expected = expectation.value ?? .null
      if !Comparison.agree(value, expected) { problem = "\(value) instead of \(expected)" }
    case .numbers(let numbers, let shape):
      guard let file = expectation.file, let tensor = expectation.tensor else {
        problem = "a tensor was given where a value is expected"
        return
      }
      let expected = try GoldenTensors.shared.array("\(folder)/\(file)", tensor)
      guard shape == (expectation.shape ?? expected.shape) else {
        problem = "shape \(shape) instead of \(expectation.shape ?? expected.shape)"
        return
      }
      var actual = numbers
      if let positions = expectation.sampledAt {
        actual = try GoldenTensors.shared.array("\(folder)/\(file)", positions).int64s().map {
          numbers[Int($0)]
        }
      }
      compare(actual, expected.doubles(), expectation)
    }
  }

  private mutating func compare(_ actual: [Double], _ expected: [Double], _ limits: Expectation) {
    guard actual.count == expected.count else {
      problem = "\(actual.count) elements instead of \(expected.count)"
      return
    }
    guard !actual.isEmpty else { return }
    let differences = zip(actual, expected).map { $0 == $1 ? 0 : abs($0 - $1) }
    if let bad = differences.firstIndex(where: { !$0.isFinite }) {
      problem = "element \(bad) is \(actual[bad]) instead of \(expected[bad])"
      return
    }
    let mismatches = Double(differences.count { $0 > 0 }) / Double(actual.count)
    switch limits.compare {
    case "exact":
      let allowed = limits.mismatchFraction ?? 0
      if mismatches > allowed {
        problem = "\(mismatches * 100) % of the elements differ, \(allowed * 100) % may"
      }
      if allowed > 0 { usedFraction = mismatches / allowed }
    case "close":
      let absolute = limits.absolute ?? 0
      func use(_ amount: Double, of limit: Double?, _ name: String) {
        guard let limit else { return }
        let fraction = amount == 0 ? 0 : amount / limit
        usedFraction = max(usedFraction, fraction)
        if !(fraction <= 1) { problem = "\(name) \(amount), limit \(limit)" }
      }
      let worst = differences.indices.max { a, b in
        differences[a] * (absolute + (limits.relative ?? 0) * abs(expected[b]))
          < differences[b] * (absolute + (limits.relative ?? 0) * abs(expected[a]))
      }!
      use(
        differences[worst], of: absolute + (limits.relative ?? 0) * abs(expected[worst]),
        "difference of element \(worst)")
      let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let distance = differences.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 0 { use(distance / norm, of: limits.relativeNorm, "relative norm of the difference") }
      use(differences.reduce(0, +) / Double(actual.count), of: limits.meanAbsolute, "mean difference")
      use(mismatches, of: limits.mismatchFraction, "share of differing elements")
    default:
      problem = "unknown comparison \(limits.compare ?? "none")"
    }
  }

  /// Plain values are equal, numbers with a fraction to 1e-3.
  private static func agree(_ actual: JSONValue, _ expected: JSONValue) -> Bool {
    switch (actual, expected) {
    case (.number(let a), .number(let e)):
      return a == e || (e != e.rounded() && abs(a - e) <= 1e-3)
    case (.array(let a), .array(let e)):
      return a.count == e.count && zip(a, e).allSatisfy { agree($0, $1) }
    case (.object(let a), .object(let e)):
      return a.count == e.count && a.allSatisfy { key, value in e[key].map { agree(value, $0) } ?? false }
    default:
      return actual == expected
    }
  }
}
