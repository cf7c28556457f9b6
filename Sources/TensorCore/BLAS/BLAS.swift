import CBLAS
import Foundation
import Synchronization

/// The BLAS library under the kernels, and how it is set up.
///
/// OpenBLAS chooses its kernels by processor model. A build that is older than the processor falls
/// back to AVX2 kernels, at half the speed where AVX-512 is there. Before its first product this
/// library therefore asks OpenBLAS to choose again, and sets it to one thread, since the kernels bring
/// their own threads. An `OPENBLAS_CORETYPE` in the environment is respected.
public enum BLAS {
  /// What to do with OpenBLAS before the first product.
  public enum Setup: Sendable {
    /// The fastest kernels that this processor can run, one thread per call.
    case automatic
    /// Nothing: a host application has set OpenBLAS up for itself. Speed is then the host's affair, and
    /// results may depend on its thread count.
    case leaveAlone
  }

  private struct Choice {
    var setup = Setup.automatic
    var isPrepared = false
  }
  private static let choice = Mutex(Choice())

  /// Chooses the set-up.
  /// - Precondition: no kernel of this library has run yet.
  public static func configure(_ setup: Setup) {
    choice.withLock { choice in
      precondition(!choice.isPrepared, "BLAS.configure after the first use of BLAS")
      choice.setup = setup
    }
  }

  /// Name of the kernels that OpenBLAS runs, for instance `SkylakeX` or `Haswell`.
  public static var coreName: String {
    _ = prepared
    return String(cString: openblas_get_corename())
  }

  /// Threads that OpenBLAS uses inside one call.
  public static var threadCount: Int {
    _ = prepared
    return Int(openblas_get_num_threads())
  }

  /// What OpenBLAS is set to.
  package struct State: Equatable, Sendable {
    package var coreName: String
    package var threadCount: Int

    package init(coreName: String, threadCount: Int) {
      self.coreName = coreName
      self.threadCount = threadCount
    }
  }

  /// What OpenBLAS is set to now, without setting it up.
  package static var untouchedState: State {
    State(coreName: String(cString: openblas_get_corename()), threadCount: Int(openblas_get_num_threads()))
  }

  static let prepared: Void = {
    let setup = choice.withLock { choice in
      choice.isPrepared = true
      return choice.setup
    }
    guard setup == .automatic else { return }
    chooseCore()
    openblas_set_num_threads(1)
  }()

  // MARK: Choice of kernels

  private static let coreVariable = "OPENBLAS_CORETYPE"
  package static let coresWithAVX512 = ["SkylakeX", "Cooperlake", "SapphireRapids", "Zen4", "Zen5"]

  package static var processorHasAVX512: Bool { dseg_cpu_has_avx512() != 0 }

  private static func chooseCore() {
    let original = String(cString: openblas_get_corename())
    guard getenv(coreVariable) == nil, processorHasAVX512, !coresWithAVX512.contains(original)
    else { return }
    if !switchCore(to: "SkylakeX") || !productIsRight() { _ = switchCore(to: original) }
  }

  /// OpenBLAS reads the variable when it is loaded; `gotoblas_dynamic_quit` and `_init` make it read
  /// again. They are exported by builds with `DYNAMIC_ARCH`, though not documented: without them
  /// everything stays as it is.
  /// - Precondition: no product runs.
  package static func switchCore(to name: String) -> Bool {
    typealias Function = @convention(c) () -> Void
    let program = dlopen(nil, RTLD_NOW)
    defer { if let program { dlclose(program) } }
    guard let quit = dlsym(program, "gotoblas_dynamic_quit"),
      let start = dlsym(program, "gotoblas_dynamic_init")
    else { return false }
    setenv(coreVariable, name, 1)
    unsafeBitCast(quit, to: Function.self)()
    unsafeBitCast(start, to: Function.self)()
    unsetenv(coreVariable)
    return String(cString: openblas_get_corename()).lowercased() == name.lowercased()
  }

  /// Whether a product that touches full and partial register tiles comes out right.
  private static func productIsRight() -> Bool {
    let (m, n, k) = (37, 70, 129)
    let a = (0..<m * k).map { Float(($0 * 7) % 11) - 5 }
    let b = (0..<k * n).map { Float(($0 * 5) % 13) - 6 }
    var c = [Float](repeating: 0, count: m * n)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a, Int32(k), b, Int32(n), 0,
      &c, Int32(n))
    // All terms are small whole numbers, so every order of summation gives the same float.
    for row in 0..<m {
      for column in 0..<n {
        var sum: Float = 0
        for inner in 0..<k { sum += a[row * k + inner] * b[inner * n + column] }
        if sum != c[row * n + column] { return false }
      }
    }
    return true
  }

  // MARK: Product

  /// `c = alpha · a · b + beta · c` on the calling thread.
  static func multiply(_ a: Matrix, _ b: Matrix, alpha: Float, beta: Float, into c: MutableMatrix) {
    _ = prepared
    cblas_sgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
      Int32(c.rows), Int32(c.columns), Int32(a.columns), alpha, a.base, Int32(a.stride), b.base,
      Int32(b.stride), beta, c.base, Int32(c.stride))
  }
}
