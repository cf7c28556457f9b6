import Images
import TensorCore

/// The transforms of one view of one picture, and the way back for what is said about it.
public struct TestTimeReplay: Sendable, Hashable {
  /// For the picture at its own size.
  public let replay: Replay
  /// Whether what is found inside holes counts for nothing.
  public let forgetsHoles: Bool

  /// - Precondition: the transforms change colours, mirror, or paint holes; others would need results beyond those of
  ///   the view.
  init(replay: Replay, forgetsHoles: Bool) {
    for transform in replay.transforms {
      switch transform {
      case .colorJitter, .toGray, .channelShuffle, .horizontalFlip, .coarseDropout: continue
      case .resizedCrop, .affine, .elastic:
        preconditionFailure("\(transform) in a view of a picture to segment")
      }
    }
    (self.replay, self.forgetsHoles) = (replay, forgetsHoles)
  }

  /// What becomes of each of the 256 labels found in the view.
  public var labelTable: [UInt8] {
    replay.transforms.reduce(Array(0...UInt8.max)) { table, transform in
      guard case .horizontalFlip(let pairs) = transform else { return table }
      return table.map { pairs.table[Int($0)] }
    }
  }

  /// Where the results for the view say something about each pixel of the content: `[contentHeight, contentWidth]`
  /// positions in an array of that size, nil where they say nothing.
  /// - Precondition: the geometry is that of the picture.
  public func sources(in geometry: FittedGeometry) -> [Int?] {
    precondition(
      geometry.originalWidth == replay.width && geometry.originalHeight == replay.height,
      "a geometry for \(geometry.originalWidth) x \(geometry.originalHeight), a view of \(replay.width) x \(replay.height)"
    )
    var sources: [Int?] = []
    sources.reserveCapacity(geometry.contentWidth * geometry.contentHeight)
    for y in geometry.contentRows {
      for x in geometry.contentColumns {
        guard let column = column(ofX: x, y: y, geometry), geometry.contentColumns.contains(column) else {
          sources.append(nil)
          continue
        }
        sources.append(
          (y - geometry.contentY) * geometry.contentWidth + column - geometry.contentX)
      }
    }
    return sources
  }

  /// The column of the resized view that shows a pixel of the resized picture; nil in holes to forget.
  private func column(ofX x: Int, y: Int, _ geometry: FittedGeometry) -> Int? {
    var x = x
    for transform in replay.transforms {
      switch transform {
      case .horizontalFlip: x = geometry.resizedWidth - 1 - x
      case .coarseDropout(let dropout) where forgetsHoles:
        let column = centeredSource(of: x, size: geometry.originalWidth, newSize: geometry.resizedWidth)
        let row = centeredSource(of: y, size: geometry.originalHeight, newSize: geometry.resizedHeight)
        if dropout.holes.contains(where: { $0.contains(x: column, y: row) }) { return nil }
      default: break
      }
    }
    return x
  }
}

extension CoarseDropout.Hole {
  fileprivate func contains(x: Int, y: Int) -> Bool {
    x >= self.x && x < self.x + width && y >= self.y && y < self.y + height
  }
}
