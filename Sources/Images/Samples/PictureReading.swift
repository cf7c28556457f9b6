import Base

/// How the samples of a file become a picture of 8-bit red, green and blue.
public struct PictureReading: Sendable, Hashable {
  /// Whether the picture is turned as its file says.
  public var orientation: OrientationHandling
  /// Which samples become red, green and blue, counted from 0; one alone becomes grey. Nil for the file's colours; of
  /// several samples that are no colours the first, as grey.
  ///
  /// Palettes, CMYK and YCbCr are made red, green and blue first, and those are counted. Alpha of a TIFF is a sample as
  /// others are, that of a PNG file is none.
  public var channels: [Int]?
  /// Which numbers become black and white.
  public var range: SampleRange

  public init(
    orientation: OrientationHandling = .apply, channels: [Int]? = nil, range: SampleRange = .full
  ) {
    (self.orientation, self.channels, self.range) = (orientation, channels, range)
  }

  /// Whether samples are read as their file's kind has them.
  var isPlain: Bool { channels == nil && range == .full }

  /// Channels as they are written on the command line: `0,2,1`, or `1` for grey.
  /// - Throws: `DataError` of kind `.invalidArgument` unless there are one or three numbers of 0 to 65535.
  public static func channels(_ text: String) throws(DataError) -> [Int] {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 1 || numbers.count == 3,
      numbers.allSatisfy({ ($0.map { (0..<65_536).contains($0) }) ?? false })
    else {
      throw DataError(
        .invalidArgument, file: "channels",
        expected: "one number, or three for red, green and blue, counted from 0", found: text)
    }
    return numbers.map { $0! }
  }

  /// Checks the channels that were asked for against those that there are.
  /// - Throws: `DataError` of kind `.unsupported`.
  func checkChannels(of count: Int, path: String) throws(DataError) {
    guard let channels else { return }
    guard channels.count == 1 || channels.count == 3 else {
      throw DataError(
        .invalidArgument, file: "channels", expected: "one or three", found: "\(channels.count)")
    }
    guard let missing = channels.first(where: { !(0..<count).contains($0) }) else { return }
    throw DataError(
      .unsupported, file: path, item: "channels",
      expected: count == 1 ? "channel 0, the only one" : "channels of 0 to \(count - 1)", found: "\(missing)")
  }
}
