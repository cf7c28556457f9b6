import Images

/// The way of one picture to a network's input and back.
///
/// The picture is resized; a rectangle of the resized picture, the content, is what the network sees
/// at the left top of its input; mirrored content fills the rest of the input.
public struct FittedGeometry: Sendable, Hashable {
  /// The picture as it came.
  public let originalWidth: Int
  public let originalHeight: Int
  /// The whole picture after the resize.
  public let resizedWidth: Int
  public let resizedHeight: Int
  /// Left top pixel of the content in the resized picture; (0, 0) unless cropped.
  public let contentX: Int
  public let contentY: Int
  /// The part of the resized picture that the network sees: its results are worth something here.
  public let contentWidth: Int
  public let contentHeight: Int
  /// The network's input.
  public let networkWidth: Int
  public let networkHeight: Int

  typealias Size = (width: Int, height: Int)

  init(
    originalSize: Size, resizedSize: Size, contentOrigin: (x: Int, y: Int), contentSize: Size,
    networkSize: Size
  ) {
    (originalWidth, originalHeight) = originalSize
    (resizedWidth, resizedHeight) = resizedSize
    (contentX, contentY) = contentOrigin
    (contentWidth, contentHeight) = contentSize
    (networkWidth, networkHeight) = networkSize
  }

  /// Whether the network sees mirrored pixels beside the content.
  public var isPadded: Bool { networkWidth > contentWidth || networkHeight > contentHeight }
  /// Whether parts of the picture are not seen.
  public var isCropped: Bool { contentWidth < resizedWidth || contentHeight < resizedHeight }

  var contentColumns: Range<Int> { contentX..<contentX + contentWidth }
  var contentRows: Range<Int> { contentY..<contentY + contentHeight }
}

extension FittedGeometry {
  /// The network's input, `networkWidth` x `networkHeight`: resized with Pillow's bilinear filter, cut
  /// to the content, mirrored at the right and lower border without repeating the border pixel (NumPy's
  /// `reflect`).
  /// - Precondition: the picture has the original size.
  public func apply(_ image: Image) -> Image {
    apply(RowWindow(image: image, rows: 0..<image.height, height: image.height))
  }

  /// The same of a picture of which some rows are at hand.
  /// - Precondition: the picture has the original size, and the rows are all of `sourceRows`.
  package func apply(_ rows: RowWindow) -> Image {
    requireOriginalSize(rows.image.width, rows.height)
    let content = rows.resized(
      width: resizedWidth, height: resizedHeight, filter: Self.filter, columns: contentColumns,
      rows: contentRows)
    return content.mirrored(toWidth: networkWidth, height: networkHeight)
  }

  /// The rows of the picture that the network's input is made of.
  package var sourceRows: Range<Int> {
    RowWindow.sources(
      height: originalHeight, newHeight: resizedHeight, filter: Self.filter, rows: contentRows)
  }

  private static let filter = ResamplingFilter.bilinear

  /// The labels of the network's input, with the ignore label where the picture is mirrored, since there is nothing to
  /// learn there.
  /// - Parameters:
  ///   - mask: labels of the picture, of the original size
  ///   - ignoreLabel: label of the pixels where the picture is mirrored
  ///   - resampling: how the labels are brought to the network's resolution
  /// - Precondition: the mask has the original size.
  public func apply(
    _ mask: LabelMask, ignoreLabel: UInt8 = LabelMask.ignoreLabel, by resampling: MaskResampling = .nearest
  ) -> LabelMask {
    requireOriginalSize(mask.width, mask.height)
    return mask.resized(
      width: resizedWidth, height: resizedHeight, columns: contentX..<contentX + networkWidth,
      rows: contentY..<contentY + networkHeight, by: resampling, outside: ignoreLabel)
  }

  private func requireOriginalSize(_ width: Int, _ height: Int) {
    precondition(
      width == originalWidth && height == originalHeight,
      "\(width) x \(height) pixels in a geometry for \(originalWidth) x \(originalHeight)")
  }
}

extension Image {
  /// The picture with mirrored pixels at the right and below, without repeating the border pixel (NumPy's `reflect`).
  /// - Precondition: the new size is at least the picture's.
  package func mirrored(toWidth newWidth: Int, height newHeight: Int) -> Image {
    precondition(
      newWidth >= width && newHeight >= height, "\(width) x \(height) mirrored to \(newWidth) x \(newHeight)")
    guard newWidth > width || newHeight > height else { return self }
    let columns = (0..<newWidth).map { reflected($0, size: width) }
    var samples: [UInt8] = []
    samples.reserveCapacity(3 * newWidth * newHeight)
    for row in 0..<newHeight {
      let start = 3 * width * reflected(row, size: height)
      samples += pixels[start..<start + 3 * width]
      for column in columns[width...] { samples += pixels[start + 3 * column..<start + 3 * column + 3] }
    }
    return Image(width: newWidth, height: newHeight, pixels: samples)
  }
}

/// The pixel in 0..<size that pixel `index` mirrors, back and forth as often as it takes; the only one of a single
/// pixel.
private func reflected(_ index: Int, size: Int) -> Int {
  guard size > 1 else { return 0 }
  let place = index % (2 * (size - 1))
  return place < size ? place : 2 * (size - 1) - place
}
