/// How intersection over union treats ignored pixels and absent classes.
public enum IoUDefinition: String, Sendable, CaseIterable {
  /// As published by ddpm-segmentation (`compute_iou` in `data_util.py`), for comparison with its tables:
  /// predictions on ignored pixels enlarge the union, a class that is nowhere scores 0 and counts in the mean.
  case ledm
  /// Ignored pixels count nowhere, and a class that is nowhere is left out of the mean.
  case standard
}

extension ConfusionMatrix {
  /// Row of the pixels that are ignored.
  private var ignoredRow: Int { min(Int(ignoreLabel), classCount) }

  /// True labels whose pixels count.
  private func countedRows(_ definition: IoUDefinition) -> [Int] {
    switch definition {
    case .ledm: Array(0...classCount)
    case .standard: (0..<classCount).filter { $0 != ignoredRow }
    }
  }

  /// Pixels of each class that were classified rightly, K numbers.
  public func intersections(_ definition: IoUDefinition) -> [Int] {
    let rows = Set(countedRows(definition))
    return (0..<classCount).map { rows.contains($0) ? self[truth: $0, prediction: $0] : 0 }
  }

  /// Pixels that have each class as truth or as prediction, K numbers.
  public func unions(_ definition: IoUDefinition) -> [Int] {
    let rows = countedRows(definition)
    let intersections = intersections(definition)
    return (0..<classCount).map { k in
      let predicted = rows.reduce(0) { $0 + self[truth: $1, prediction: k] }
      let labelled = rows.contains(k) ? (0...classCount).reduce(0) { $0 + self[truth: k, prediction: $1] } : 0
      return predicted + labelled - intersections[k]
    }
  }

  /// The classes that count in means: never the ignored one, and with `.standard` only those with a union.
  public func scoredClasses(_ definition: IoUDefinition) -> [Int] {
    let unions = unions(definition)
    return (0..<classCount).filter { $0 != Int(ignoreLabel) && (definition == .ledm || unions[$0] > 0) }
  }

  /// Intersection over union of each class, K numbers from 0 to 1; 0 for a class that is nowhere.
  ///
  /// With `.ledm` the union is enlarged by 1e-8, as in the reference.
  public func iou(_ definition: IoUDefinition) -> [Double] {
    zip(intersections(definition), unions(definition)).map { intersection, union in
      switch definition {
      case .ledm: Double(intersection) / (Double(union) + 1e-8)
      case .standard: union == 0 ? 0 : Double(intersection) / Double(union)
      }
    }
  }

  /// Mean of `iou` over the scored classes, 0 when there are none.
  public func meanIoU(_ definition: IoUDefinition) -> Double {
    mean(iou(definition), over: scoredClasses(definition))
  }

  /// Dice coefficient of each class, `2 |A ∩ B| / (|A| + |B|)`, K numbers from 0 to 1, with ignored pixels
  /// counting nowhere; 0 for a class that is nowhere.
  public var dice: [Double] {
    zip(intersections(.standard), unions(.standard)).map { intersection, union in
      union == 0 ? 0 : 2 * Double(intersection) / Double(union + intersection)
    }
  }

  /// Mean of `dice` over the classes that are somewhere, 0 when there are none.
  public var meanDice: Double { mean(dice, over: scoredClasses(.standard)) }

  /// Share of the pixels that are not ignored which were classified rightly, 0 to 1; 0 when all are ignored.
  public var pixelAccuracy: Double {
    let rows = countedRows(.standard)
    let pixels = rows.reduce(0) { sum, row in
      sum + (0...classCount).reduce(0) { $0 + self[truth: row, prediction: $1] }
    }
    let right = rows.reduce(0) { $0 + self[truth: $1, prediction: $1] }
    return pixels == 0 ? 0 : Double(right) / Double(pixels)
  }

  private func mean(_ values: [Double], over classes: [Int]) -> Double {
    classes.isEmpty ? 0 : classes.reduce(0) { $0 + values[$1] } / Double(classes.count)
  }
}

extension ConfusionMatrix {
  /// Whether no pixel counted so far has a true class that is not ignored.
  public var scoredTruthIsEmpty: Bool {
    (0..<classCount).allSatisfy { truth in
      truth == Int(ignoreLabel) || (0...classCount).allSatisfy { self[truth: truth, prediction: $0] == 0 }
    }
  }
}
