import Base
import TensorCore

/// A place in a state dictionary from which a layer takes its parameters by their short names.
///
/// Layers ask for tensors with the shapes they need and always get them: a tensor that is missing or
/// has another shape is replaced by a stand-in and noted, so that loading goes on and `finish` reports
/// everything that does not fit at once.
/// ```swift
/// let weights = WeightScope(try StateDictionary(contentsOf: "model.pt"))
/// let first = weights.scope("input_blocks").scope(0).scope(0)
/// let weight = first.tensor("weight", shape: [32, 3, 3, 3])
/// try weights.finish()
/// ```
public struct WeightScope: Sendable {
  /// The names of the scopes down to this one, joined by dots; empty at the top.
  public let path: String
  private static let largestPlaceholder = 1 << 16
  private let state: StateDictionary
  private let ledger: WeightLedger
  private let requiresFinite: Bool

  /// The top of a state dictionary, with nothing used so far.
  /// - Parameters:
  ///   - state: the parameters to take layers' weights from
  ///   - requiresFinite: whether each tensor that is taken is looked through for NaN and infinite numbers, which
  ///     `finish` then reports. It reads them all, as loading a network does anyway.
  public init(_ state: StateDictionary, requiresFinite: Bool = false) {
    self.state = state
    self.requiresFinite = requiresFinite
    path = ""
    ledger = WeightLedger()
  }

  private init(_ parent: WeightScope, path: String) {
    self.path = path
    state = parent.state
    ledger = parent.ledger
    requiresFinite = parent.requiresFinite
  }

  /// The scope of a part; `name` may hold several names joined by dots.
  public func scope(_ name: String) -> WeightScope { WeightScope(self, path: fullName(name)) }

  /// The scope of a numbered part.
  public func scope(_ index: Int) -> WeightScope { scope(String(index)) }

  private func fullName(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}

// MARK: Looking

extension WeightScope {
  /// Whether there is a tensor of this name. Asking does not use it.
  public func contains(_ name: String) -> Bool { state[fullName(name)] != nil }

  /// The shape of a tensor, if there is one. Asking does not use it.
  public func shape(of name: String) -> [Int]? { state[fullName(name)]?.shape }

  /// The names one step below this scope, of tensors and of scopes, in the order of the file.
  public var children: [String] {
    let start = path.isEmpty ? "" : path + "."
    var seen: Set<Substring> = []
    return state.tensors.compactMap { tensor in
      guard tensor.name.hasPrefix(start) else { return nil }
      let child = tensor.name.dropFirst(start.count).prefix { $0 != "." }
      return seen.insert(child).inserted ? String(child) : nil
    }
  }
}

// MARK: Taking

extension WeightScope {
  /// A parameter as float32; a stand-in when it is missing or has another shape, which `finish` reports.
  public func tensor(_ name: String, shape: [Int]) -> Tensor {
    if let tensor = tensorIfPresent(name, shape: shape) { return tensor }
    ledger.note(missing: fullName(name), shape: shape)
    return placeholder(shape)
  }

  /// A parameter that need not be there. One of another shape is reported by `finish` and replaced by zeros.
  public func tensorIfPresent(_ name: String, shape: [Int]) -> Tensor? {
    let name = fullName(name)
    guard let array = state[name] else { return nil }
    ledger.note(used: name)
    guard array.shape == shape else {
      ledger.note(misshapen: name, expected: shape, found: array.shape)
      return placeholder(shape)
    }
    let tensor = array.tensor()
    if requiresFinite {
      let count = tensor.nonFiniteCount
      if count > 0 { ledger.note(notFinite: name, count: count, of: tensor.count) }
      // Blocks that nobody asks for are not looked at again.
      tensor.discardPages()
    }
    return tensor
  }

  /// What stands in for a tensor that does not fit: zeros, or nothing at all where that would be large, since
  /// the shapes that a file tells could ask for any amount of memory. `finish` keeps it from being used.
  private func placeholder(_ shape: [Int]) -> Tensor {
    var count = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow, product <= WeightScope.largestPlaceholder else { return Tensor(zeros: [0]) }
      count = product
    }
    return Tensor(zeros: shape)
  }

  /// Marks a tensor that is of no use here (a counter of batches, say), so that it does not count as unused.
  public func ignore(_ name: String) {
    ledger.note(used: fullName(name))
  }
}

// MARK: Ending

extension WeightScope {
  /// All that does not fit so far, in this scope and below: noted here or through any scope that was
  /// made from the same top.
  public var report: WeightReport {
    ledger.report(on: state, path: path)
  }

  /// Ends loading.
  /// - Throws: `DataError` that lists every missing, wrongly shaped and unused tensor of this scope and
  ///   below with full names and shapes, if there are any.
  public func finish() throws(DataError) {
    if let error = report.error { throw error }
  }
}
