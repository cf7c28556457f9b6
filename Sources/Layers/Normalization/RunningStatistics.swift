import TensorCore

/// Collects the running statistics that the batch normalisations of a network have after a pass in training.
///
/// Layers are values and stay as they are; whoever trains puts the collected tensors into the places of those that the
/// network was loaded from. A part that is computed twice (`Tape.recomputing`) notes the same numbers twice.
public final class RunningStatistics {
  private var found: [String: BatchNorm2d] = [:]

  /// None yet.
  public init() {}

  /// Takes the statistics of a layer after its pass.
  func note(_ updated: BatchNorm2d) { found[updated.path] = updated }

  /// The scopes of the layers that took part, sorted.
  public var layers: [String] { found.keys.sorted() }

  /// The tensor of a name such as `backbone.bn1.running_mean`; nil where no layer that took part has one of this name.
  /// - Parameter name: of `running_mean`, `running_var` or `num_batches_tracked`, below the scope of the layer
  public subscript(_ name: String) -> Tensor? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    guard let layer = found[String(name[..<dot])] else { return nil }
    switch name[name.index(after: dot)...] {
    case "running_mean": return layer.state.runningMean
    case "running_var": return layer.state.runningVariance
    case "num_batches_tracked": return layer.batchesTracked.map { Tensor([$0], shape: []) }
    default: return nil
    }
  }
}
