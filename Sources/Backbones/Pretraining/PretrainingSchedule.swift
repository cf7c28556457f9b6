import Training

/// When a training stops.
public struct PretrainingLimit: Sendable {
  public var steps: Int?
  /// Seconds of this run.
  public var seconds: Double?

  public init(steps: Int? = nil, seconds: Double? = nil) {
    self.steps = steps
    self.seconds = seconds
  }
}

/// How often a training writes what.
public struct PretrainingSchedule: Sendable {
  /// Steps from state to state.
  public var save = 1000
  /// States that are kept.
  public var keep = 3
  public var samples = SampleSettings()

  public init() {}
}

/// Where a training stands.
public struct PretrainingProgress: Sendable {
  public var report: TrainingReport
  /// Mean of the last hundred losses.
  public var recentLoss: Double
  public var picturesPerSecond: Double
  /// Seconds of this run.
  public var seconds: Double
  /// Part that is done of what the limit allows, 0 to 1.
  public var share: Double
}
