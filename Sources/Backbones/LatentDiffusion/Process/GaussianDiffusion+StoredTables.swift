import Base
import Checkpoints
import DiffusionCore

extension GaussianDiffusion {
  /// The process that the tables of a checkpoint of latent diffusion tell.
  ///
  /// Of the twelve tables three are read: all others follow from `betas`, and from `posterior_variance`, whose first number
  /// is `v β` (`v_posterior`). `alphas_cumprod` must agree. Variances rounded to single precision give every table to that
  /// precision again, since `ln ᾱ` is a sum of numbers near -β.
  /// - Parameters:
  ///   - tables: a state dictionary with `betas`, `[T]`, perhaps `alphas_cumprod` and `posterior_variance`
  ///   - meanType: what the network predicts, which no file tells
  /// - Throws: `DataError` naming the table that is missing or cannot be one.
  public init(storedIn tables: StateDictionary, meanType: MeanType = .epsilon) throws(DataError) {
    let betas = try tables.table("betas", count: nil) { $0 > 0 && $0 < 1 } ?? []
    guard !betas.isEmpty else {
      throw DataError(
        .malformed, file: tables.file, item: tables.prefix + "betas", expected: "the variances of the steps",
        found: "none")
    }
    var share = 0.0
    if let variances = try tables.table("posterior_variance", count: betas.count, holds: { $0 >= 0 }) {
      // The posterior variance of the first step is 0.
      share = min(1, variances[0] / betas[0])
    }
    self.init(betas: betas, meanType: meanType, betaShare: share)
    if let stored = try tables.table("alphas_cumprod", count: betas.count, holds: { $0 > 0 && $0 <= 1 }) {
      for (t, (stored, own)) in zip(stored, alphasCumprod).enumerated() where abs(stored / own - 1) > 1e-3 {
        throw DataError(
          .malformed, file: tables.file, item: tables.prefix + "alphas_cumprod",
          expected: "\(own) at step \(t), as betas give it", found: "\(stored)")
      }
    }
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
