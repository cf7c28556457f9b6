import Base

/// The tensors of a checkpoint that do not fit a network.
public struct WeightReport: Sendable, Equatable {
  /// A tensor and the shapes it should have and has.
  public struct Problem: Sendable, Equatable {
    /// In the network.
    public var name: String
    /// Nil for a tensor that the network does not have.
    public var expected: [Int]?
    /// Nil for a tensor that the file does not have.
    public var found: [Int]?
  }

  /// A tensor with numbers that are none.
  public struct Damage: Sendable, Equatable {
    public var name: String
    /// Number of NaN and infinite elements.
    public var count: Int
    /// Number of all elements.
    public var total: Int
  }

  public let file: String
  /// What stands before the names in the file.
  public let prefix: String
  /// In the order in which the network asked for them.
  public let missing: [Problem]
  /// In the order in which the network asked for them.
  public let misshapen: [Problem]
  /// In the order in which the network asked for them; empty where nobody asked for finite numbers.
  public let notFinite: [Damage]
  /// In the order of the file.
  public let unused: [Problem]

  public var isEmpty: Bool {
    missing.isEmpty && misshapen.isEmpty && unused.isEmpty && notFinite.isEmpty
  }

  /// An error that lists every problem, one a line; nil when there is none.
  public var error: DataError? {
    let problems = missing + misshapen + unused
    if problems.isEmpty { return damage }
    if problems.count == 1 {
      return DataError(
        .malformed, file: file, item: prefix + problems[0].name, expected: Self.expected(problems[0]),
        found: Self.found(problems[0]))
    }
    let counts = [("missing", missing.count), ("wrongly shaped", misshapen.count), ("unused", unused.count)]
    let summary = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
    let lines = problems.map {
      "\n  \(prefix)\($0.name): expected \(Self.expected($0)), found \(Self.found($0))"
    }
    return DataError(
      .malformed, file: file, item: "tensors that do not fit the network", found: summary + lines.joined())
  }

  /// Error for weights that fit and are not finite, as a training that diverged leaves them.
  private var damage: DataError? {
    guard let first = notFinite.first else { return nil }
    let others = notFinite.count > 1 ? "; so are some of \(notFinite.count - 1) more tensors" : ""
    return DataError(
      .malformed, file: file, item: prefix + first.name, expected: "finite weights",
      found: "\(first.count) of \(first.total) that are NaN or infinite\(others)")
  }

  private static func expected(_ problem: Problem) -> String {
    problem.expected.map { "shape \($0)" } ?? "no such tensor"
  }

  private static func found(_ problem: Problem) -> String {
    problem.found.map { "shape \($0)" } ?? "none"
  }
}
