import Synchronization

/// What all scopes of one loading have asked for.
final class WeightLedger: Sendable {
  private struct State {
    var used: Set<String> = []
    var missing: [WeightReport.Problem] = []
    var misshapen: [WeightReport.Problem] = []
    var notFinite: [WeightReport.Damage] = []
  }
  private let state = Mutex(State())

  func note(used name: String) {
    state.withLock { _ = $0.used.insert(name) }
  }

  func note(missing name: String, shape: [Int]) {
    state.withLock { $0.missing.append(WeightReport.Problem(name: name, expected: shape, found: nil)) }
  }

  func note(misshapen name: String, expected: [Int], found: [Int]) {
    state.withLock { $0.misshapen.append(WeightReport.Problem(name: name, expected: expected, found: found)) }
  }

  func note(notFinite name: String, count: Int, of total: Int) {
    state.withLock { $0.notFinite.append(WeightReport.Damage(name: name, count: count, total: total)) }
  }

  /// - Parameter path: of the scope whose content counts; empty for all.
  func report(on dictionary: StateDictionary, path: String) -> WeightReport {
    func isInside(_ name: String) -> Bool { path.isEmpty || name.hasPrefix(path + ".") }
    let state = state.withLock { $0 }
    return WeightReport(
      file: dictionary.file, prefix: dictionary.prefix,
      missing: state.missing.filter { isInside($0.name) },
      misshapen: state.misshapen.filter { isInside($0.name) },
      notFinite: state.notFinite.filter { isInside($0.name) },
      unused: dictionary.tensors.filter { isInside($0.name) && !state.used.contains($0.name) }.map {
        WeightReport.Problem(name: $0.name, expected: nil, found: $0.array.shape)
      })
  }
}
