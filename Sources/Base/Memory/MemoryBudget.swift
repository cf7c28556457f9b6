import Synchronization

/// How much memory work may ask for: it is estimated before it begins, and refused above that.
public enum MemoryBudget {
  private static let setting = Atomic<Int>(0)
  @TaskLocal private static var scoped: Int?
  /// Share of what is available that work may ask for where nobody says otherwise.
  private static let defaultShare = 0.9

  /// Bytes that work may ask for: those of the innermost `withBytes` around the caller, else what was set; nil for 90 % of
  /// what is available.
  ///
  /// Setting it is for programs, once, at their start. Where other work runs in the same process, use `withBytes`.
  public static var bytes: Int? {
    get {
      if let scoped { return scoped }
      let bytes = setting.load(ordering: .relaxed)
      return bytes > 0 ? bytes : nil
    }
    set {
      precondition(newValue ?? 1 > 0, "a budget of \(newValue ?? 0) bytes")
      setting.store(newValue ?? 0, ordering: .relaxed)
    }
  }

  /// Calls `body` with another budget, for the calling task or thread alone.
  /// - Precondition: it is above 0.
  public static func withBytes<Result>(_ bytes: Int, _ body: () throws -> Result) rethrows -> Result {
    precondition(bytes > 0, "a budget of \(bytes) bytes")
    return try $scoped.withValue(bytes, operation: body)
  }

  /// Calls `body` with another budget, for the calling task and its children alone.
  /// - Precondition: it is above 0.
  public static func withBytes<Result>(
    _ bytes: Int, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> Result {
    precondition(bytes > 0, "a budget of \(bytes) bytes")
    return try await $scoped.withValue(bytes, operation: body)
  }

  /// What work may ask for now; nil where the system does not tell and nobody has set it.
  public static var available: AvailableMemory? {
    let now = AvailableMemory.now.map {
      AvailableMemory(bytes: Int(Double($0.bytes) * defaultShare), limit: "\($0.limit), but for a tenth,")
    }
    guard let bytes else { return now }
    let budget = AvailableMemory(bytes: bytes, limit: "the memory budget")
    return now.map { $0.bytes < bytes ? $0 : budget } ?? budget
  }
}
