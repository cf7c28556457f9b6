import Images

/// Classes that a mirror exchanges, such as left and right eye.
public struct ClassPairs: Sendable, Hashable {
  /// Labels of each pair.
  public let pairs: [[UInt8]]

  /// No class has another as its mirror image.
  public static let none = ClassPairs()

  private init() { pairs = [] }

  /// - Precondition: pairs of labels that all differ.
  public init(_ pairs: [(UInt8, UInt8)]) {
    let labels = pairs.flatMap { [$0.0, $0.1] }
    precondition(Set(labels).count == labels.count, "a label is in more than one of the pairs \(pairs)")
    self.pairs = pairs.map { [$0.0, $0.1] }
  }

  /// What becomes of each of the 256 labels.
  var table: [UInt8] {
    var table = Array(0...UInt8.max)
    for pair in pairs {
      table[Int(pair[0])] = pair[1]
      table[Int(pair[1])] = pair[0]
    }
    return table
  }
}

extension LabelMask {
  /// Left and right exchanged, and with them the classes of each pair.
  public func mirrored(exchanging pairs: ClassPairs = .none) -> LabelMask {
    let table = pairs.table
    var mirrored: [UInt8] = []
    mirrored.reserveCapacity(labels.count)
    for row in 0..<height {
      mirrored += labels[row * width..<(row + 1) * width].reversed().map { table[Int($0)] }
    }
    return LabelMask(width: width, height: height, labels: mirrored)
  }
}
