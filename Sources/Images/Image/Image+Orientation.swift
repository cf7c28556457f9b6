import Base

/// Whether a picture is turned as its file says: its EXIF orientation, or the tag of a TIFF file.
public enum OrientationHandling: String, Sendable, CaseIterable {
  /// Turned upright, as viewers and annotation tools show it.
  case apply
  /// As it is stored, as the reference reads it.
  case ignore
}

extension Image {
  /// The picture upright, when it is stored with the given EXIF orientation.
  ///
  /// 1 is upright; 2 mirrored left to right; 3 upside down; 4 mirrored top to bottom; 5 to 8 change
  /// places of width and height: 5 mirrored along the main diagonal, 6 to be turned clockwise, 7 mirrored
  /// along the other diagonal, 8 to be turned counter-clockwise.
  /// - Precondition: `orientation` is in 1...8.
  /// Source: EXIF 2.32 (CIPA DC-008), tag 0x0112.
  public func upright(from orientation: Int) -> Image {
    precondition((1...8).contains(orientation), "an EXIF orientation of \(orientation)")
    guard orientation > 1 else { return self }
    let isTransposed = orientation >= 5
    let (newWidth, newHeight) = isTransposed ? (height, width) : (width, height)
    // In the stored picture, from which end columns and rows are counted.
    let fromRight = [2, 3, 7, 8].contains(orientation)
    let fromBottom = [3, 4, 6, 7].contains(orientation)
    let samples = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, filled in
      pixels.withUnsafeBufferPointer { source in
        // Tiles, since one of the two goes down columns.
        let tile = 32
        for top in stride(from: 0, to: newHeight, by: tile) {
          for left in stride(from: 0, to: newWidth, by: tile) {
            for y in top..<min(top + tile, newHeight) {
              for x in left..<min(left + tile, newWidth) {
                let (u, v) = isTransposed ? (y, x) : (x, y)
                let column = fromRight ? width - 1 - u : u
                let row = fromBottom ? height - 1 - v : v
                let (from, to) = (3 * (row * width + column), 3 * (y * newWidth + x))
                target.initializeElement(at: to, to: source[from])
                target.initializeElement(at: to + 1, to: source[from + 1])
                target.initializeElement(at: to + 2, to: source[from + 2])
              }
            }
          }
        }
      }
      filled = pixels.count
    }
    return Image(width: newWidth, height: newHeight, pixels: samples)
  }

  /// The picture turned or not as `handling` says, with a notice when there was something to turn.
  func turned(
    by stored: StoredOrientation, _ handling: OrientationHandling, path: String, notices: Notices
  ) -> Image {
    if let damage = stored.damage { notices.add(.ignored, file: path, damage) }
    guard stored.value > 1 else { return self }
    switch handling {
    case .apply:
      notices.add(.changed, file: path, "\(stored.motion) as its \(stored.source) orientation says")
      return upright(from: stored.value)
    case .ignore:
      notices.add(.ignored, file: path, "its \(stored.source) orientation says \(stored.motion); not applied")
      return self
    }
  }
}

extension StoredOrientation {
  /// What makes a picture of this orientation upright.
  var motion: String {
    switch value {
    case 2: "mirrored left to right"
    case 3: "turned by 180°"
    case 4: "mirrored top to bottom"
    case 5: "mirrored along the main diagonal"
    case 6: "turned by 90° clockwise"
    case 7: "mirrored along the other diagonal"
    case 8: "turned by 90° counter-clockwise"
    default: "nothing"
    }
  }
}
