import Synchronization

/// Collects the notices of a piece of work. The same notice, as it comes when a picture is read twice, is kept once.
///
/// Functions that may leave out, guess or change something take one; whoever does not care passes none and loses
/// them.
public final class Notices: Sendable {
  private struct State {
    var all: [Notice] = []
    var known = Set<Notice>()
  }
  private let state = Mutex(State())
  private let strict: Atomic<Bool>
  private let handler: @Sendable (Notice) -> Void

  /// - Parameters:
  ///   - isStrict: whether what would be left out is an error instead
  ///   - handler: called with each notice when it first comes, from any thread
  public init(isStrict: Bool = false, handler: @escaping @Sendable (Notice) -> Void = { _ in }) {
    strict = Atomic(isStrict)
    self.handler = handler
  }

  /// Whether what would be left out is an error instead.
  public var isStrict: Bool {
    get { strict.load(ordering: .relaxed) }
    set { strict.store(newValue, ordering: .relaxed) }
  }

  /// In the order in which they came.
  public var all: [Notice] { state.withLock { $0.all } }

  /// Adds a notice.
  public func add(_ notice: Notice) {
    let isNew = state.withLock { state in
      guard state.known.insert(notice).inserted else { return false }
      state.all.append(notice)
      return true
    }
    if isNew { handler(notice) }
  }

  /// Adds a notice.
  public func add(_ kind: Notice.Kind, file: String, item: String = "", _ text: String) {
    add(Notice(kind, file: file, item: item, text))
  }

  /// Leaves out what cannot be used.
  /// - Throws: the error itself when these notices are strict.
  public func leaveOut(_ error: DataError) throws(DataError) {
    if isStrict { throw error }
    var reason = error
    reason.file = ""
    reason.item = ""
    add(.leftOut, file: error.file, item: error.item, reason.description)
  }
}
