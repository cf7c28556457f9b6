import Foundation

/// Mean IoU against epoch as inline SVG: test pictures solid, training pictures dashed.
///
/// Curves are told apart by their markers; their names stand beside the chart in the order of their ends.
struct LineChart {
  /// A preset's two lines.
  struct Curve {
    var name: String
    /// Number of the preset, which picks marker and colour.
    var style: Int
    /// Shares 0 ... 1.
    var points: [(epoch: Int, training: Double, test: Double)]
  }

  var id: String
  var title: String
  var curves: [Curve]

  private let width = 520
  private let height = 330
  private let left = 52.0
  private let top = 30.0
  private let bottom = 284.0
  private let labelHeight = 16.0

  private var labelWidth: Double { min(180, 24 + (curves.map { ChartText.width($0.name) }.max() ?? 0)) }
  private var right: Double { Double(width) - labelWidth - 14 }

  private var across: ChartAxis {
    let epochs = curves.flatMap { $0.points.map { Double($0.epoch) } }
    let (low, high) = (epochs.min() ?? 1, epochs.max() ?? 1)
    let round = ChartAxis(
      holding: [low, high], marks: 8, limits: low...max(low, high), wholeSteps: true, from: left, to: right)
    return ChartAxis(range: round.range, step: round.step, from: left + 10, to: right - 10)
  }

  private var up: ChartAxis {
    let values = curves.flatMap { $0.points.flatMap { [100 * $0.training, 100 * $0.test] } }
    return ChartAxis(holding: values.filter(\.isFinite), marks: 6, limits: 0...100, from: bottom, to: top)
  }

  /// The chart with its title and text for those who do not see it.
  var markup: Markup {
    """
    <svg id="\(id)" class="lines" role="img" aria-label="\(description)" width="\(width)" height="\(height)" \
    viewBox="0 0 \(width) \(height)">
    <title>\(title)</title>
    <defs>
    \(curves.map { ChartMarker(number: $0.style).definitions(prefix: id) }.joined(separator: "\n"))
    </defs>
    \(key)
    \(scales)
    \(curves.map(lines).joined(separator: "\n"))
    \(labels)
    </svg>
    """
  }

  private var description: String {
    let ends = curves.map { curve in
      "\(curve.name) \(Figure.percent(curve.points.last?.test ?? .nan, digits: 1)) %"
    }
    return "\(title). After the last epoch: \(Figure.list(ends))."
  }

  /// What solid and dashed lines are.
  private var key: Markup {
    """
    <path class="key" d="M\(at(left)) 12h30"/><text x="\(at(left + 36))" y="16">test</text>
    <path class="key training" d="M\(at(left + 82)) 12h30"/><text x="\(at(left + 118))" y="16">training</text>
    """
  }

  private var scales: Markup {
    let (across, up) = (across, up)
    let rows = up.marks.map { mark -> Markup in
      let y = up.place(mark)
      return """
        <path class="grid" d="M\(at(left)) \(at(y))H\(at(right))"/>\
        <text class="end" x="\(at(left - 7))" y="\(at(y + 4))">\(up.label(mark))</text>
        """
    }
    let columns = across.marks.map { mark -> Markup in
      let x = at(across.place(mark))
      return """
        <path class="axis" d="M\(x) \(at(bottom))v4"/>\
        <text class="middle" x="\(x)" y="\(at(bottom + 17))">\(across.label(mark))</text>
        """
    }
    return """
      \(rows.joined(separator: "\n"))
      <path class="axis" d="M\(at(left)) \(at(top))V\(at(bottom))H\(at(right))"/>
      \(columns.joined(separator: "\n"))
      <text class="middle" x="\(at((left + right) / 2))" y="\(at(bottom + 37))">epoch</text>
      <text class="middle" transform="translate(13 \(at((top + bottom) / 2))) rotate(-90)">mean IoU, %</text>
      """
  }

  private func lines(_ curve: Curve) -> Markup {
    let marker = ChartMarker(number: curve.style)
    let training = path(curve.points.map { ($0.epoch, $0.training) })
    let test = path(curve.points.map { ($0.epoch, $0.test) })
    return """
      <g class="\(marker.colorClass)">
      <path class="training" d="\(training)" \(marker.attributes(prefix: id, isFilled: false))/>
      <path class="test" d="\(test)" \(marker.attributes(prefix: id, isFilled: true))/>
      </g>
      """
  }

  /// A line through the points that are numbers.
  private func path(_ points: [(epoch: Int, share: Double)]) -> String {
    let (across, up) = (across, up)
    return points.filter(\.share.isFinite).enumerated().map { index, point in
      (index == 0 ? "M" : "L")
        + "\(at(across.place(Double(point.epoch)))) \(at(up.place(100 * point.share)))"
    }.joined()
  }

  /// The curves' names, each near the end of its solid line and none over another.
  private var labels: Markup {
    let up = up
    let ends = curves.enumerated().map { index, curve in
      let last = curve.points.last { $0.test.isFinite }
      return (index: index, y: last.map { up.place(100 * $0.test) } ?? bottom)
    }.sorted { ($0.y, $0.index) < ($1.y, $1.index) }
    let places = Self.spread(ends.map(\.y), distance: labelHeight, within: (top + 4)...(bottom - 4))
    return zip(ends, places).map { end, y -> Markup in
      let curve = curves[end.index]
      let marker = ChartMarker(number: curve.style)
      let name = ChartText.shortened(curve.name, to: labelWidth - 22)
      return """
        <g class="\(marker.colorClass)"><path d="M\(at(right + 12)) \(at(y))h0" \
        \(marker.attributes(prefix: id, isFilled: true))/></g>\
        <text x="\(at(right + 22))" y="\(at(y + 4))">\(name)</text>
        """
    }.joined(separator: "\n")
  }

  /// Places moved apart as little as is needed, in their order.
  /// - Parameter places: ascending.
  static func spread(_ places: [Double], distance: Double, within range: ClosedRange<Double>) -> [Double] {
    var places = places
    for index in places.indices.dropFirst() {
      places[index] = max(places[index], places[index - 1] + distance)
    }
    var limit = range.upperBound
    for index in places.indices.reversed() {
      places[index] = min(places[index], limit)
      limit = places[index] - distance
    }
    return places
  }

  private func at(_ value: Double) -> String { ChartText.coordinate(value) }
}
