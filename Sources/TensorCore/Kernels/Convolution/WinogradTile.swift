import CKernels

// d: an input tile, size × size   g: a 3×3 kernel   m: a transformed tile, size × size   y: outSize × outSize

/// One Winograd algorithm F(outSize × outSize, 3 × 3): `y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`.
///
/// The transforms are written in C (`CKernels`).
/// Source: Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016.
protocol WinogradTile {
  /// Outputs along a side.
  static var outSize: Int { get }
  /// Inputs along a side, and so frequencies: `outSize + 2`.
  static var size: Int { get }
  /// `Bᵀ d B` of a row of tiles.
  static func transformInput(_ input: dseg_tile_input, into v: UnsafeMutablePointer<Float>, slot: Int)
  /// `Aᵀ m A` of a row of tiles.
  static func transformOutput(_ m: UnsafePointer<Float>, slot: Int, into output: dseg_tile_output)
  /// `G g Gᵀ` of some kernels.
  static func transformKernels(_ kernels: dseg_kernels, into transformed: dseg_transformed_kernels)
}

/// F(2×2, 3×3): a 2.25th of the products. Points 0, 1, -1 and infinity.
enum WinogradTile2: WinogradTile {
  static var outSize: Int { 2 }
  static var size: Int { 4 }

  static func transformInput(_ input: dseg_tile_input, into v: UnsafeMutablePointer<Float>, slot: Int) {
    dseg_winograd2_input(input, v, slot)
  }

  static func transformOutput(_ m: UnsafePointer<Float>, slot: Int, into output: dseg_tile_output) {
    dseg_winograd2_output(m, slot, output)
  }

  static func transformKernels(_ kernels: dseg_kernels, into transformed: dseg_transformed_kernels) {
    dseg_winograd2_kernels(kernels, transformed)
  }
}

/// F(4×4, 3×3): a quarter of the products. Points 0, ±5/8, ±3/2 and infinity.
///
/// The customary points 0, ±1, ±2 round more than twice as much (relative error of 256 channels 2.8e-6
/// against 1.25e-6); these have the same symmetry, so the same number of operations, and all constants of
/// the transforms of inputs and outputs are exact.
enum WinogradTile4: WinogradTile {
  static var outSize: Int { 4 }
  static var size: Int { 6 }

  static func transformInput(_ input: dseg_tile_input, into v: UnsafeMutablePointer<Float>, slot: Int) {
    dseg_winograd4_input(input, v, slot)
  }

  static func transformOutput(_ m: UnsafePointer<Float>, slot: Int, into output: dseg_tile_output) {
    dseg_winograd4_output(m, slot, output)
  }

  static func transformKernels(_ kernels: dseg_kernels, into transformed: dseg_transformed_kernels) {
    dseg_winograd4_kernels(kernels, transformed)
  }

  /// One line of `Gᵀ m`, the transpose of the transform of kernels.
  @inline(__always)
  static func transformBack(_ m: (Int) -> SIMD16<Float>, _ store: (Int, SIMD16<Float>) -> Void) {
    let (a, b): (Float, Float) = (0.625, 1.5)
    let (shareA, shareB) = (0.5 / (a * a * (a * a - b * b)), 0.5 / (b * b * (b * b - a * a)))
    let (evenA, oddA) = ((m(1) + m(2)) * shareA, (m(1) - m(2)) * (a * shareA))
    let (evenB, oddB) = ((m(3) + m(4)) * shareB, (m(3) - m(4)) * (b * shareB))
    store(0, m(0) * (1 / (a * a * b * b)) + evenA + evenB)
    store(1, oddA + oddB)
    store(2, evenA * (a * a) + evenB * (b * b) + m(5))
  }
}
