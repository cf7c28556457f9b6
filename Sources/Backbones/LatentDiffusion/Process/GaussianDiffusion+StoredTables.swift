import Base
import Checkpoints
import DiffusionCore

extension GaussianDiffusion {
  /// The process that the tables of a checkpoint of latent diffusion tell.
  ///
  /// All tables follow from the variances, `betas`, and from `posterior_variance`, whose first number is `v β`
  /// (`v_posterior`). A pruned file may keep signal levels alone: they give the variances. What noises latents must agree
  /// with them. Variances rounded to single precision give every table to that precision again, since `ln ᾱ` is a sum of
  /// numbers near -β.
  /// - Parameters:
  ///   - tables: a state dictionary with `betas`, `alphas_cumprod` or `sqrt_alphas_cumprod`, `[T]`, perhaps
  ///     `posterior_variance`
  ///   - meanType: what the network predicts, which no file tells
  /// - Throws: `DataError` naming the table that is missing, cannot be one, or contradicts the variances.
  public init(storedIn tables: StateDictionary, meanType: MeanType = .epsilon) throws(DataError) {
    guard let source = LatentNoiseTable.source(in: tables) else {
      throw DataError(
        .malformed, file: tables.file, item: tables.prefix + LatentNoiseTable.betas.rawValue,
        expected: "the variances of the steps", found: "none")
    }
    let betas = source.betas(try source.values(in: tables, count: nil)!)
    if let wrong = betas.firstIndex(where: { !($0 > 0 && $0 < 1) }) {
      throw DataError(
        .malformed, file: tables.file, item: tables.prefix + source.rawValue,
        expected: "signal levels that fall with every step", found: "others at step \(wrong)")
    }
    var share = 0.0
    if let variances = try tables.table("posterior_variance", count: betas.count, holds: { $0 >= 0 }) {
      // The posterior variance of the first step is 0.
      share = min(1, variances[0] / betas[0])
    }
    self.init(betas: betas, meanType: meanType, betaShare: share)
    for table in LatentNoiseTable.allCases where table != source {
      guard let stored = try table.values(in: tables, count: betas.count) else { continue }
      let own = zip(betas, alphasCumprod).map { table.value(beta: $0, signal: $1) }
      for (t, (stored, own)) in zip(stored, own).enumerated() where abs(stored / own - 1) > 1e-3 {
        throw DataError(
          .malformed, file: tables.file, item: tables.prefix + table.rawValue,
          expected: "\(own) at step \(t), as \(source.rawValue) gives it", found: "\(stored)")
      }
    }
  }
}

/// The tables of a latent diffusion model that noise its latents (`register_schedule`), by their names in a checkpoint.
enum LatentNoiseTable: String, CaseIterable {
  case betas
  case alphasCumprod = "alphas_cumprod"
  case sqrtAlphasCumprod = "sqrt_alphas_cumprod"
  case sqrtOneMinusAlphasCumprod = "sqrt_one_minus_alphas_cumprod"

  /// The table that tells the process of a file, the most precise one; nil when there is none.
  static func source(in state: StateDictionary) -> LatentNoiseTable? {
    // Noise levels alone would give the first steps, whose signal is nearly 1, too roughly.
    [betas, alphasCumprod, sqrtAlphasCumprod].first { state[$0.rawValue] != nil }
  }

  func value(beta: Double, signal: Double) -> Double {
    switch self {
    case .betas: beta
    case .alphasCumprod: signal
    case .sqrtAlphasCumprod: signal.squareRoot()
    case .sqrtOneMinusAlphasCumprod: (1 - signal).squareRoot()
    }
  }

  /// `β_t` of the table's numbers.
  func betas(_ values: [Double]) -> [Double] {
    guard self != .betas else { return values }
    let signals = values.map { self == .alphasCumprod ? $0 : $0 * $0 }
    return zip(signals, [1] + signals).map { 1 - $0 / $1 }
  }

  func values(in state: StateDictionary, count: Int?) throws(DataError) -> [Double]? {
    try state.table(rawValue, count: count) { $0 > 0 && $0 < 1 }
  }
}

extension StateDictionary {
  /// A table of numbers; nil when there is none.
  fileprivate func table(
    _ name: String, count: Int?, holds: (Double) -> Bool
  ) throws(DataError) -> [Double]? {
    guard let array = self[name] else { return nil }
    func refusal(_ expected: String, _ found: String) -> DataError {
      DataError(.malformed, file: file, item: prefix + name, expected: expected, found: found)
    }
    guard array.shape.count == 1, array.shape[0] == count ?? array.shape[0],
      LatentSchedule.steps.contains(array.shape[0])
    else {
      throw refusal(count.map { "\($0) numbers" } ?? "a number for each step", "shape \(array.shape)")
    }
    let values = array.doubles()
    if let wrong = values.firstIndex(where: { !holds($0) }) {
      throw refusal("numbers between 0 and 1", "\(values[wrong]) at \(wrong)")
    }
    return values
  }
}
