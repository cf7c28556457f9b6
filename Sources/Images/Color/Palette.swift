import Base

/// A colour for each label, 1 to 256 of them.
public struct Palette: Sendable, Equatable {
  /// Colours by label.
  public let colors: [RGB]

  /// A palette of the given colours, the first for label 0.
  /// - Precondition: there are 1 to 256.
  public init(colors: [RGB]) {
    precondition(
      (1...256).contains(colors.count), "a palette of \(colors.count) colours; 1 to 256 are possible")
    self.colors = colors
  }

  /// Reads colours written as `#rrggbb` with spaces, commas or line ends between them.
  /// - Parameters:
  ///   - text: the colours, label 0 first
  ///   - name: the option or file the text comes from, for the message
  /// - Throws: `DataError` of kind `.invalidArgument` for anything else, or more than 256 colours.
  public init(parsing text: String, name: String = "palette") throws(DataError) {
    var colors: [RGB] = []
    for word in text.split(whereSeparator: { $0.isWhitespace || $0 == "," || $0 == ";" }) {
      guard let color = RGB(hex: word) else {
        throw DataError(
          .invalidArgument, file: name, item: "colour \(colors.count)", expected: "#rrggbb",
          found: String(word.prefix(40)))
      }
      colors.append(color)
      guard colors.count <= 256 else {
        throw DataError(.invalidArgument, file: name, expected: "at most 256 colours", found: "more")
      }
    }
    guard !colors.isEmpty else {
      throw DataError(.invalidArgument, file: name, expected: "colours like #1f77b4, #ff7f0e", found: "none")
    }
    self.colors = colors
  }

  /// The colour of a label; labels beyond the palette are black.
  public subscript(label: UInt8) -> RGB { Int(label) < colors.count ? colors[Int(label)] : .black }
}
