extension Image {
  /// The picture with the colours of a mask over it, and a line where two labels meet.
  ///
  /// The line is one pixel wide, in the colour of the greater label made lighter where that is dark
  /// and darker where it is light, so that it shows between areas of like colour.
  /// - Parameters:
  ///   - mask: labels, of the picture's size
  ///   - palette: colours of the labels
  ///   - opacity: of the colours, 0 (picture only) ... 1 (mask only).
  ///   - hidden: labels that are left uncoloured
  ///   - drawsBorders: false leaves out the lines
  /// - Precondition: mask and picture have the same size, and the opacity is in 0...1.
  public func overlay(
    mask: LabelMask, palette: Palette, opacity: Float = 0.5, hidden: Set<UInt8> = [LabelMask.ignoreLabel],
    drawsBorders: Bool = true
  ) -> Image {
    precondition(
      mask.width == width && mask.height == height,
      "a mask of \(mask.width) x \(mask.height) over a picture of \(width) x \(height)")
    precondition((0...1).contains(opacity), "an opacity of \(opacity)")
    let isHidden = (0...255).map { hidden.contains(UInt8($0)) }
    let colors = (0...255).map { palette[UInt8($0)] }
    let lines = colors.map {
      $0.luma > 0.5 ? $0.mixed(with: .black, share: 0.6) : $0.mixed(with: .white, share: 0.6)
    }
    var result = self
    for y in 0..<height {
      for x in 0..<width {
        let label = Int(mask[x, y])
        if !isHidden[label] {
          result[x, y] = self[x, y].mixed(with: colors[label], share: opacity)
        }
        guard drawsBorders else { continue }
        // Looking right and down only makes the line one pixel wide.
        let right = x + 1 < width ? Int(mask[x + 1, y]) : label
        let below = y + 1 < height ? Int(mask[x, y + 1]) : label
        if right != label || below != label,
          let top = [label, right, below].filter({ !isHidden[$0] }).max()
        {
          result[x, y] = lines[top]
        }
      }
    }
    return result
  }

  /// A mask in the colours of a palette.
  public init(mask: LabelMask, palette: Palette) {
    let samples = mask.labels.flatMap { label in
      let color = palette[label]
      return [color.red, color.green, color.blue]
    }
    self.init(width: mask.width, height: mask.height, pixels: samples)
  }
}
