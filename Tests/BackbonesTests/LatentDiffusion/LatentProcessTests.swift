import Backbones
import Base
import Checkpoints
import DiffusionCore
import TensorCore
import Testing

struct LatentProcessTests {
  @Test(arguments: [
    (LatentSchedule.linear(from: 0, to: 0.02), 10), (.linear(from: 0.001, to: 1), 10),
    (.linear(from: -0.001, to: 0.02), 10), (.linear(from: .nan, to: 0.02), 10),
    (.sqrtLinear(from: 0.02, to: 0), 10), (.sqrt(from: 0.1, to: 1.5), 10), (.cosine(offset: -1), 10),
    (.linear(), 0), (.linear(), -3), (.cosine(), .max),
  ])
  func schedulesThatCannotBe(_ schedule: LatentSchedule, steps: Int) {
    let error = #expect(throws: DataError.self) { try GaussianDiffusion(schedule, steps: steps) }
    #expect(error?.kind == .invalidArgument && error?.file == "noise schedule")
  }

  @Test(arguments: [-0.1, 1.1, .nan])
  func sharesOfTheVariance(_ share: Double) {
    #expect(throws: DataError.self) { try GaussianDiffusion(.linear(), betaShare: share) }
  }

  private static func tables(
    _ process: GaussianDiffusion, keeping kept: Set<String>? = nil, changing name: String = "",
    _ change: (inout [Float]) -> Void = { _ in }
  ) -> StateDictionary {
    let tables = [
      "betas": process.betas, "alphas_cumprod": process.alphasCumprod,
      "posterior_variance": process.posteriorVariance,
      "sqrt_alphas_cumprod": process.alphasCumprod.map { $0.squareRoot() },
      "sqrt_one_minus_alphas_cumprod": process.alphasCumprod.map { (1 - $0).squareRoot() },
    ].filter { kept?.contains($0.key) ?? true }
    return StateDictionary(
      tables.sorted { $0.key < $1.key }.compactMap { key, values in
        var values = values.map { Float($0) }
        if key == name { change(&values) }
        return values.isEmpty
          ? nil : NamedArray(name: key, array: NumericArray(Tensor(values, shape: [values.count])))
      }, file: "tables")
  }

  /// Tables in single precision give the same tables in single precision again, but for the last bit.
  @Test(arguments: [0, 0.3, 1])
  func storedTables(share: Double) throws {
    let process = try GaussianDiffusion(.linear(), betaShare: share)
    let again = try GaussianDiffusion(storedIn: Self.tables(process))
    func worst(_ table: KeyPath<GaussianDiffusion, [Double]>) -> Double {
      zip(process[keyPath: table], again[keyPath: table]).map { $0 == $1 ? 0 : abs($1 / $0 - 1) }.max()!
    }
    #expect(worst(\.alphasCumprod) < 1.2e-7)
    #expect(worst(\.posteriorVariance) < 2e-6)
    #expect(worst(\.posteriorMeanCoef1) < 2e-6)
    #expect(again.posteriorLogVarianceClipped[0].rounded() == (share == 0 ? -46 : share == 1 ? -7 : -8))
  }

  /// Pruned files keep one table or another.
  @Test(arguments: [(["betas"], 2e-7), (["alphas_cumprod"], 2e-7), (["sqrt_alphas_cumprod"], 4e-7)])
  func aTableAlone(kept: [String], limit: Double) throws {
    let process = try GaussianDiffusion(.linear())
    let again = try GaussianDiffusion(storedIn: Self.tables(process, keeping: Set(kept)))
    let apart = zip(process.alphasCumprod, again.alphasCumprod).map { abs($1 / $0 - 1) }.max()!
    #expect(apart < limit && again.steps == 1000)
  }

  @Test(arguments: [
    "betas", "alphas_cumprod", "posterior_variance", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
  ])
  func damagedTables(name: String) throws {
    let process = try GaussianDiffusion(.linear(), steps: 50)
    let changes: [(inout [Float]) -> Void] = [
      { $0[7] = .nan }, { $0[7] = -0.5 }, { $0.removeLast() },
      { $0[40] *= name.hasSuffix("alphas_cumprod") ? 1.01 : -1 },
    ]
    for change in changes {
      let error = #expect(throws: DataError.self) {
        try GaussianDiffusion(storedIn: Self.tables(process, changing: name, change))
      }
      #expect(error?.kind == .malformed && error?.file == "tables")
    }
    let rising: Set = ["alphas_cumprod"]
    let wrong = Self.tables(process, keeping: rising, changing: "alphas_cumprod") { $0[7] = $0[6] }
    #expect(throws: DataError.self) { try GaussianDiffusion(storedIn: wrong) }
    let none = Self.tables(process, keeping: ["posterior_variance", "sqrt_one_minus_alphas_cumprod"])
    #expect(throws: DataError.self) { try GaussianDiffusion(storedIn: none) }
  }
}

struct DDIMStepsTests {
  /// The numbers that end one step past a process of 1000 (CompVis/latent-diffusion #136).
  @Test func numbersOfSteps() throws {
    let process = try GaussianDiffusion(.linear())
    let refused = Set([3, 9, 27, 36, 37] + (101...111) + (251...333) + (501...1000))
    var accepted: Set<Int> = []
    for count in 1...1000 {
      do throws(DataError) {
        let steps = try DDIMSteps(process, count: count)
        accepted.insert(count)
        if steps.timesteps.last! >= 1000 { Issue.record("\(count) steps to \(steps.timesteps.last!)") }
      } catch {
        if error.kind != .invalidArgument { Issue.record("\(error)") }
      }
    }
    #expect(accepted == Set(1...1000).subtracting(refused))
  }

  @Test(arguments: [
    (37, "34, 35, 38 or 39"), (1000, "499 or 500"), (5000, "499 or 500"), (3, "1, 2, 4 or 5"), (0, "1 or 2"),
    (.min, "1 or 2"), (.max, "499 or 500"), (300, "249, 250, 334 or 335"),
  ])
  func namesNumbersThatWork(count: Int, near: String) throws {
    let process = try GaussianDiffusion(.linear())
    let error = #expect(throws: DataError.self) { try DDIMSteps(process, count: count) }
    #expect(error?.expected.hasSuffix("such as \(near)") == true, "\(error?.expected ?? "")")
  }

  @Test func noNumberWorks() throws {
    let process = try GaussianDiffusion(.linear(), steps: 1)
    for spacing in DDIMSteps.Spacing.allCases {
      let error = #expect(throws: DataError.self) { try DDIMSteps(process, count: 1, spacing: spacing) }
      #expect(error?.expected == "a process of more than 1 steps")
    }
  }

  @Test func tellsOfAnotherNumber() throws {
    let process = try GaussianDiffusion(.linear())
    let notices = Notices()
    #expect(try DDIMSteps(process, count: 400, notices: notices).timesteps.count == 500)
    #expect(notices.all.map(\.text) == ["500 steps: one in 2 of the 1000 of the process"])
    _ = try DDIMSteps(process, count: 200, notices: notices)
    #expect(notices.all.count == 1)
  }

  @Test(arguments: [-0.1, 1.01, .nan, .infinity])
  func eta(_ eta: Double) throws {
    let process = try GaussianDiffusion(.linear())
    let error = #expect(throws: DataError.self) { try DDIMSteps(process, count: 10, eta: eta) }
    #expect(error?.file == "eta")
  }
}
