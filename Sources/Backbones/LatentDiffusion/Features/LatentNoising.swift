import Base
import Checkpoints
import TensorCore

/// What noises latents: `z_t = sqrt(ᾱ_t) z_0 + sqrt(1 - ᾱ_t) ε`, with the tables of the file in single precision as the
/// reference has them (`q_sample`).
struct LatentNoising: Sendable {
  /// `sqrt(ᾱ_t)`
  let signal: [Float]
  /// `sqrt(1 - ᾱ_t)`
  let noise: [Float]

  var steps: Int { signal.count }

  private static let mostSteps = 1_000_000

  /// From the tables of a state dictionary, or else from a schedule.
  /// - Parameter betas: first and last variance, and the number of steps, where there are no tables
  /// - Throws: `DataError` when the tables are none.
  init(
    state: StateDictionary, betas: (first: Double, last: Double, steps: Int)
  ) throws(DataError) {
    let names = ["sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod"]
    if let signal = try Self.table(names[0], in: state), let noise = try Self.table(names[1], in: state) {
      guard signal.count == noise.count else {
        throw DataError(
          .malformed, file: state.file, item: state.prefix + names[1], expected: "\(signal.count) steps",
          found: "\(noise.count)")
      }
      self.signal = signal.map { Float($0) }
      self.noise = noise.map { Float($0) }
      return
    }
    var products = try Self.table("alphas_cumprod", in: state)
    if products == nil {
      products = Self.products(try Self.table("betas", in: state) ?? Self.linear(betas))
    }
    signal = products!.map { Float($0.squareRoot()) }
    noise = products!.map { Float((1 - $0).squareRoot()) }
  }

  /// Whether a file tells its schedule.
  static func hasTable(_ state: StateDictionary) -> Bool {
    ["sqrt_alphas_cumprod", "alphas_cumprod", "betas"].contains { state[$0] != nil }
  }

  /// Steps of the schedule in a file; nil where it has none.
  static func steps(_ state: StateDictionary) -> Int? {
    ["betas", "alphas_cumprod", "sqrt_alphas_cumprod"].compactMap { state[$0]?.count }.first
  }

  private static func table(_ name: String, in state: StateDictionary) throws(DataError) -> [Double]? {
    guard let array = state[name] else { return nil }
    guard array.shape.count == 1, (1...mostSteps).contains(array.count) else {
      throw DataError(
        .malformed, file: state.file, item: state.prefix + name, expected: "a number for each step",
        found: "shape \(array.shape)")
    }
    let values = array.doubles()
    guard values.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
      throw DataError(
        .malformed, file: state.file, item: state.prefix + name, expected: "numbers from 0 to 1",
        found: "others")
    }
    return values
  }

  /// The square of a line from root to root (`make_beta_schedule`, "linear").
  private static func linear(_ betas: (first: Double, last: Double, steps: Int)) -> [Double] {
    let (first, last) = (betas.first.squareRoot(), betas.last.squareRoot())
    let increment = (last - first) / Double(max(1, betas.steps - 1))
    return (0..<betas.steps).map {
      let root = $0 == betas.steps - 1 && $0 > 0 ? last : first + Double($0) * increment
      return root * root
    }
  }

  private static func products(_ betas: [Double]) -> [Double] {
    var product = 1.0
    return betas.map {
      product *= 1 - $0
      return product
    }
  }

  /// Latents at several steps, under one noise.
  /// - Parameters:
  ///   - latents: `[z, h, w]`
  ///   - steps: of the process
  ///   - noise: of the latents' shape
  /// - Returns: `[steps, z, h, w]`
  func noised(_ latents: Tensor, steps: [Int], noise: Tensor) -> Tensor {
    stack(steps.map { latents * signal[$0] + noise * self.noise[$0] })
  }
}
