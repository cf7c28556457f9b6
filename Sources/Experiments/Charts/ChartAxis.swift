import Foundation

/// An axis of a chart: numbers, their places in pixels, and round numbers to mark.
struct ChartAxis {
  /// Least and greatest number on the axis.
  let range: ClosedRange<Double>
  /// Distance of marked numbers.
  let step: Double
  /// Pixels at both ends of the range.
  let start: Double
  let end: Double

  /// An axis from one round number to another that holds all values.
  /// - Parameters:
  ///   - marks: how many numbers are to be marked, about.
  ///   - limits: numbers that the axis does not pass.
  ///   - wholeSteps: whether only whole numbers are marked.
  init(
    holding values: [Double], marks: Int, limits: ClosedRange<Double>, wholeSteps: Bool = false,
    from start: Double, to end: Double
  ) {
    let (low, high) = (values.min() ?? limits.lowerBound, values.max() ?? limits.upperBound)
    let step = Self.step(atLeast: max(high - low, 1e-9) / Double(marks), isWhole: wholeSteps)
    var (lower, upper) = ((low / step).rounded(.down) * step, (high / step).rounded(.up) * step)
    if lower == upper { (lower, upper) = (lower - step, upper + step) }
    self.init(
      range: max(lower, limits.lowerBound)...min(upper, limits.upperBound), step: step, from: start, to: end)
  }

  init(range: ClosedRange<Double>, step: Double, from start: Double, to end: Double) {
    (self.range, self.step, self.start, self.end) = (range, step, start, end)
  }

  /// The place of a number, in pixels.
  func place(_ value: Double) -> Double {
    let width = range.upperBound - range.lowerBound
    return start + (end - start) * (width > 0 ? (value - range.lowerBound) / width : 0.5)
  }

  /// The numbers to mark.
  var marks: [Double] {
    let (low, high) = (range.lowerBound / step, range.upperBound / step)
    return stride(from: (low - 1e-9).rounded(.up), through: high + 1e-9, by: 1).map {
      $0 == 0 ? 0 : $0 * step
    }
  }

  /// A marked number as text, with the decimal places that the step needs.
  func label(_ mark: Double) -> String {
    Figure.fixed(mark, digits: max(0, Int((-log10(step) - 1e-9).rounded(.up))))
  }

  /// 1, 2 or 5 times a power of ten.
  private static func step(atLeast size: Double, isWhole: Bool) -> Double {
    // Differences of a hundredth of a percent are no more than noise.
    let size = max(size, isWhole ? 1 : 0.01)
    let power = pow(10, log10(size).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= size * (1 - 1e-9) } ?? 10 * power
  }
}

/// Texts inside charts, where nothing wraps.
enum ChartText {
  /// Size of the letters, in pixels.
  static let size = 12.0

  /// Width of a text in pixels, about.
  static func width(_ text: String) -> Double { text.reduce(0) { $0 + width($1) } }

  /// The text, cut to a width with an ellipsis.
  static func shortened(_ text: String, to width: Double) -> String {
    guard self.width(text) > width else { return text }
    var (result, used) = ("", self.width("…"))
    for character in text {
      used += self.width(character)
      guard used <= width else { break }
      result.append(character)
    }
    return result + "…"
  }

  /// A place in pixels, as short as it is exact enough.
  static func coordinate(_ value: Double) -> String {
    let text = Figure.fixed(value, digits: 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func width(_ character: Character) -> Double {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    // From Hangul on, letters of many scripts are as wide as they are high.
    if scalar.value >= 0x1100 { return size }
    return character.isUppercase || "mwMW@%".contains(character) ? 0.75 * size : 0.56 * size
  }
}
