// d: an input tile, size × size   g: a 3×3 kernel   m: a transformed tile, size × size   y: outSize × outSize

/// The lanes in which transforms run: eight neighbouring channels.
typealias Lanes = SIMD8<Float>

/// One Winograd algorithm F(outSize × outSize, 3 × 3): `y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`.
///
/// A tile is given by its transforms along one line; the two-dimensional ones apply them twice.
/// Source: Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016.
protocol WinogradTile {
  /// Outputs along a side.
  static var outSize: Int { get }
  /// Inputs along a side, and so frequencies: `outSize + 2`.
  static var size: Int { get }
  /// One line of `Bᵀ d`.
  static func transformInput(_ d: (Int) -> Lanes, _ store: (Int, Lanes) -> Void)
  /// One line of `Aᵀ m`.
  static func transformOutput(_ m: (Int) -> Lanes, _ store: (Int, Lanes) -> Void)
  /// One line of `G g`.
  static func transformKernel(_ g: (Int) -> SIMD8<Double>, _ store: (Int, SIMD8<Double>) -> Void)
}

/// F(2×2, 3×3): a 2.25th of the products. Points 0, 1, -1 and infinity.
enum WinogradTile2: WinogradTile {
  static var outSize: Int { 2 }
  static var size: Int { 4 }

  @inline(__always)
  static func transformInput(_ d: (Int) -> Lanes, _ store: (Int, Lanes) -> Void) {
    let (d0, d1, d2, d3) = (d(0), d(1), d(2), d(3))
    store(0, d0 - d2)
    store(1, d1 + d2)
    store(2, d2 - d1)
    store(3, d3 - d1)
  }

  @inline(__always)
  static func transformOutput(_ m: (Int) -> Lanes, _ store: (Int, Lanes) -> Void) {
    let (m0, m1, m2, m3) = (m(0), m(1), m(2), m(3))
    store(0, m0 + m1 + m2)
    store(1, m1 - m2 + m3)
  }

  @inline(__always)
  static func transformKernel(_ g: (Int) -> SIMD8<Double>, _ store: (Int, SIMD8<Double>) -> Void) {
    let (even, odd) = ((g(0) + g(2)) * 0.5, g(1) * 0.5)
    store(0, g(0))
    store(1, even + odd)
    store(2, even - odd)
    store(3, g(2))
  }
}

/// F(4×4, 3×3): a quarter of the products. Points 0, ±5/8, ±3/2 and infinity.
///
/// The customary points 0, ±1, ±2 round more than twice as much (relative error of 256 channels 2.8e-6 against
/// 1.25e-6); these have the same symmetry, so the same number of operations, and all constants of the
/// transforms of inputs and outputs are exact.
enum WinogradTile4: WinogradTile {
  static var outSize: Int { 4 }
  static var size: Int { 6 }

  private static var a: Float { 0.625 }
  private static var b: Float { 1.5 }
  private static var aa: Float { 0.390625 }
  private static var bb: Float { 2.25 }
  private static var aabb: Float { 0.87890625 }
  private static var aaPlusBB: Float { 2.640625 }

  @inline(__always)
  static func transformInput(_ d: (Int) -> Lanes, _ store: (Int, Lanes) -> Void) {
    let (d0, d1, d2, d3, d4, d5) = (d(0), d(1), d(2), d(3), d(4), d(5))
    store(0, d0 * aabb - d2 * aaPlusBB + d4)
    let (evenA, oddA) = (d4 - d2 * bb, (d3 - d1 * bb) * a)
    store(1, evenA + oddA)
    store(2, evenA - oddA)
    let (evenB, oddB) = (d4 - d2 * aa, (d3 - d1 * aa) * b)
    store(3, evenB + oddB)
    store(4, evenB - oddB)
    store(5, d1 * aabb - d3 * aaPlusBB + d5)
  }

  @inline(__always)
  static func transformOutput(_ m: (Int) -> Lanes, _ store: (Int, Lanes) -> Void) {
    let (m0, m1, m2, m3, m4, m5) = (m(0), m(1), m(2), m(3), m(4), m(5))
    let (evenA, oddA, evenB, oddB) = (m1 + m2, (m1 - m2) * a, m3 + m4, (m3 - m4) * b)
    store(0, m0 + evenA + evenB)
    store(1, oddA + oddB)
    store(2, evenA * aa + evenB * bb)
    store(3, oddA * aa + oddB * bb + m5)
  }

  @inline(__always)
  static func transformKernel(_ g: (Int) -> SIMD8<Double>, _ store: (Int, SIMD8<Double>) -> Void) {
    let (a, b) = (Double(Self.a), Double(Self.b))
    let (g0, g1, g2) = (g(0), g(1), g(2))
    store(0, g0 * (1 / (a * a * b * b)))
    // 1 / ∏ (p - q) over the other finite points q, for p = ±a and p = ±b.
    let (shareA, shareB) = (0.5 / (a * a * (a * a - b * b)), 0.5 / (b * b * (b * b - a * a)))
    let (evenA, oddA) = ((g0 + g2 * (a * a)) * shareA, g1 * (a * shareA))
    store(1, evenA + oddA)
    store(2, evenA - oddA)
    let (evenB, oddB) = ((g0 + g2 * (b * b)) * shareB, g1 * (b * shareB))
    store(3, evenB + oddB)
    store(4, evenB - oddB)
    store(5, g2)
  }
}
