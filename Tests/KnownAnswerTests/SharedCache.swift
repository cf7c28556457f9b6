import Synchronization

/// Values made once each, on first use, for tests that run at the same time.
final class SharedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let values = Mutex<[Key: Value]>([:])

  func value(for key: Key, make: () throws -> Value) throws -> Value {
    if let value = values.withLock({ $0[key] }) { return value }
    let made = try make()
    return values.withLock { values in
      if let value = values[key] { return value }
      values[key] = made
      return made
    }
  }
}
