import Base
import Foundation
import Images
import Testing

@Suite struct SampleRangeTests {
  @Test(
    arguments: [
      ("full", .full), ("min,max", .minMax), ("percentile:0.1,99.9", .percentile(0.1, 99.9)),
      ("percentile:0,100", .percentile(0, 100)), ("values:100,4000", .values(100, 4000)),
      ("values:-1.5,1e6", .values(-1.5, 1e6)),
    ] as [(String, SampleRange)])
  func `ranges are read as they are written`(text: String, range: SampleRange) throws {
    #expect(try SampleRange(text) == range)
    #expect(try SampleRange(range.description) == range)
  }

  @Test(
    arguments: [
      "", "Full", "min", "percentile", "percentile:1", "percentile:1,2,3", "percentile:-1,99",
      "percentile:0,100.1", "percentile:99,1", "percentile:5,5", "percentile:a,b", "values:nan,1",
      "values:0,inf", "values:4,4", "values:,", "values:1:2", "median:1,2",
    ])
  func `other texts are refused`(text: String) throws {
    let error = #expect(throws: DataError.self) { try SampleRange(text) }
    #expect(error?.kind == .invalidArgument && error?.found == text)
  }

  @Test(arguments: ["", "0,1", "-1", "a", "0,1,2,3", "0,,1", "65536"])
  func `channels are one or three numbers`(text: String) throws {
    let error = #expect(throws: DataError.self) { try PictureReading.channels(text) }
    #expect(error?.kind == .invalidArgument)
    #expect(try PictureReading.channels("0,2,1") == [0, 2, 1] && PictureReading.channels("7") == [7])
  }

  /// Of every length the percentile lies elsewhere between two numbers.
  @Test(arguments: 1...40)
  func `percentiles are those of sorted numbers`(count: Int) throws {
    let samples = Fixtures.noise(count: count, seed: UInt64(count))
    let file = TIFFFile(width: count, height: 1, samples)
    let sorted = samples.sorted().map(Double.init)
    func percentile(_ part: Double) -> Double {
      let place = part * Double(count - 1)
      let low = Int(place)
      return low + 1 < count
        ? sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low]) : sorted[low]
    }
    let (low, high) = (percentile(0.3), percentile(0.85))
    let image = try Image(decoding: file.bytes, reading: PictureReading(range: .percentile(30, 85)))
    for (index, sample) in samples.enumerated() {
      let level =
        Double(sample) <= low ? 0 : Double(sample) >= high ? 1 : (Double(sample) - low) / (high - low)
      #expect(abs(Double(image.pixels[3 * index]) - 255 * level) < 0.501)
    }
  }

  @Test func `a picture of one number is black, and that is said`() throws {
    let notices = Notices()
    let file = TIFFFile(width: 3, height: 1, [7, 7, 7])
    let image = try Image(decoding: file.bytes, reading: PictureReading(range: .minMax), notices: notices)
    #expect(image.pixels == [UInt8](repeating: 0, count: 9))
    #expect(notices.all.contains { $0.kind == .suspicious })
  }

  @Test(arguments: [SampleRange.full, .minMax, .percentile(1, 99), .values(0, 9)])
  func `a picture without a number is black`(range: SampleRange) throws {
    let nan = withUnsafeBytes(of: Float.nan.bitPattern.littleEndian) { Array($0) }
    var file = TIFFFile(width: 2, height: 2, nan + nan + nan + nan)
    file.tags[258] = .short([32])
    file.tags[339] = .short([3])
    let notices = Notices()
    let image = try Image(decoding: file.bytes, reading: PictureReading(range: range), notices: notices)
    #expect(image.pixels == [UInt8](repeating: 0, count: 12))
    #expect(notices.all.contains { $0.text.hasPrefix("4 samples are not finite") })
  }

  @Test func `8-bit pictures keep their samples unless asked`() throws {
    let file = TIFFFile(width: 3, height: 1, [10, 20, 30])
    #expect(try Image(decoding: file.bytes).pixels == [10, 10, 10, 20, 20, 20, 30, 30, 30])
    let range = try Image(decoding: file.bytes, reading: PictureReading(range: .values(10, 30)))
    #expect(range.pixels == [0, 0, 0, 128, 128, 128, 255, 255, 255])
    let picture = Fixtures.picture(5, 4)
    let swapped = try Image(decoding: picture.encoded(.png), reading: PictureReading(channels: [2, 1, 0]))
    #expect(swapped[3, 2] == RGB(picture[3, 2].blue, picture[3, 2].green, picture[3, 2].red))
  }
}
