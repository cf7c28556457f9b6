/// Which network of a checkpoint is meant when it holds several, such as the one in training and its moving average.
public enum WeightsChoice: Sendable, Equatable {
  /// The moving average if there is one.
  case automatic
  /// What version 0.1.0 took: `model_state_dict` or `state_dict` before all others.
  case version010
  /// The one under a name, whole or in part: `ema`, `state_dict/model.`.
  case named(String)
}
