import Base

/// Which numbers of a picture become black and white where its samples are not of 8 bits, or where that is asked for.
///
/// Numbers between the two are spread evenly over 0...255 and rounded, those outside become black or white. The two are
/// the same for all channels of a page.
public enum SampleRange: Sendable, Hashable {
  /// The whole range of the type: 0 and 65535 of 16 bits, 0 and 1 of floats. 8-bit samples stay as they are.
  case full
  /// The least and the greatest number of the page.
  case minMax
  /// Percentiles of the numbers of the page, 0...100, interpolated linearly between the two next to them, as
  /// `numpy.percentile` has them.
  case percentile(Double, Double)
  /// Two numbers, in the units of the file.
  case values(Double, Double)
}

extension SampleRange: CustomStringConvertible {
  /// A range as it is written on the command line: `full`, `min,max`, `percentile:0.1,99.9`, `values:100,4000`.
  /// - Throws: `DataError` of kind `.invalidArgument` for another text, percentiles outside 0...100, numbers that are not
  ///   finite, and a first that is not below the second.
  public init(_ text: String) throws(DataError) {
    func failure(_ expected: String) -> DataError {
      DataError(.invalidArgument, file: "range", expected: expected, found: text)
    }
    switch text {
    case "full": self = .full
    case "min,max": self = .minMax
    default:
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      let known = ["percentile", "values"]
      guard parts.count == 2, known.contains(String(parts[0])) else {
        throw failure("full, min,max, percentile:0.1,99.9 or values:100,4000")
      }
      let numbers = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
      guard numbers.count == 2, let low = numbers[0], let high = numbers[1], low.isFinite, high.isFinite
      else {
        throw failure("two numbers after \(parts[0]):")
      }
      guard low < high else { throw failure("a first number below the second") }
      if parts[0] == "values" {
        self = .values(low, high)
      } else {
        guard low >= 0, high <= 100 else { throw failure("percentiles of 0 to 100") }
        self = .percentile(low, high)
      }
    }
  }

  /// As `init(_:)` reads it.
  public var description: String {
    func text(_ number: Double) -> String {
      number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
    return switch self {
    case .full: "full"
    case .minMax: "min,max"
    case .percentile(let low, let high): "percentile:\(text(low)),\(text(high))"
    case .values(let low, let high): "values:\(text(low)),\(text(high))"
    }
  }
}
