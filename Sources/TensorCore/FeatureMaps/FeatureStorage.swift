/// How the numbers of a feature map are kept.
public enum FeaturePrecision: String, Sendable, CaseIterable {
  /// 32-bit floats.
  case float
  /// IEEE 754 binary16, half the memory. A map that holds a number beyond its range is kept as floats.
  case half

  /// Bytes of one number.
  package var byteCount: Int { self == .float ? 4 : 2 }
}

/// The memory of one feature map: written by its maker, then never again.
final class FeatureStorage: @unchecked Sendable {
  // @unchecked: nothing is written once `init` has returned.
  let precision: FeaturePrecision
  let count: Int
  private let base: UnsafeMutableRawPointer

  /// Memory for `count` numbers that `body` must all write.
  init(count: Int, precision: FeaturePrecision, _ body: (UnsafeMutableRawPointer) -> Void) {
    self.precision = precision
    self.count = count
    base = .allocate(byteCount: max(count * precision.byteCount, 1), alignment: 64)
    switch precision {
    case .float: base.bindMemory(to: Float.self, capacity: count)
    case .half: base.bindMemory(to: UInt16.self, capacity: count)
    }
    body(base)
  }

  deinit { base.deallocate() }

  /// The numbers of a `.float` storage, valid while it lives.
  var floats: UnsafePointer<Float> {
    precondition(precision == .float)
    return UnsafePointer(base.assumingMemoryBound(to: Float.self))
  }

  /// The bits of a `.half` storage, valid while it lives.
  var halves: UnsafePointer<UInt16> {
    precondition(precision == .half)
    return UnsafePointer(base.assumingMemoryBound(to: UInt16.self))
  }
}
