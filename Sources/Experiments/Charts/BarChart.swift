import Foundation

/// Horizontal bars of shares, grouped, as inline SVG.
///
/// What a bar stands for shows in its filling and not in its colour alone: hollow, dark or half dark.
struct BarChart {
  /// What a preset is in a report.
  enum Role: String {
    case first
    case last
    case best
  }

  /// The bars of one preset.
  struct Series {
    var name: String
    var role: Role
  }

  /// The bars of one class.
  struct Group {
    var name: String
    /// Whether the metric counts it; other classes have no bars.
    var isScored: Bool
    /// One a series, 0 ... 1.
    var values: [Double]
  }

  var id: String
  var title: String
  var series: [Series]
  var groups: [Group]

  private let width = 480.0
  private let barHeight = 11.0
  private let legendLine = 18.0
  private let axisHeight = 38.0

  private var names: Double {
    min(140, 10 + (groups.map { ChartText.width($0.name) }.max() ?? 0))
  }
  private var axis: ChartAxis { ChartAxis(range: 0...100, step: 20, from: names, to: width - 44) }
  private var top: Double { legendLine * Double(series.count) + 12 }
  private var groupHeight: Double { barHeight * Double(series.count) + 9 }
  private var bottom: Double { top + groupHeight * Double(groups.count) }

  /// The chart with its title and text for those who do not see it.
  var markup: Markup {
    let height = Int(bottom + axisHeight)
    return """
      <svg id="\(id)" class="bars" role="img" aria-label="\(description)" width="\(Int(width))" \
      height="\(height)" viewBox="0 0 \(Int(width)) \(height)">
      <title>\(title)</title>
      \(legend)
      \(scale)
      \(groups.indices.map(group).joined(separator: "\n"))
      </svg>
      """
  }

  private var description: String {
    let scored = groups.filter { $0.isScored && ($0.values.first?.isFinite ?? false) }
    let names = Figure.list(series.map { "\($0.name) (\($0.role.rawValue))" })
    guard let low = scored.min(by: { $0.values[0] < $1.values[0] }),
      let high = scored.max(by: { $0.values[0] < $1.values[0] })
    else { return "\(title), with \(names)" }
    let range =
      "\(low.name) \(Figure.percent(low.values[0], digits: 1)) % is lowest and "
      + "\(high.name) \(Figure.percent(high.values[0], digits: 1)) % highest"
    return "\(title), with \(names). With \(series[0].name), \(range)."
  }

  private var legend: Markup {
    series.indices.map { index -> Markup in
      let y = legendLine * Double(index) + 4
      let name = ChartText.shortened(series[index].name, to: 240)
      return """
        <rect class="\(series[index].role.rawValue)" x="\(at(names))" y="\(at(y))" width="24" height="9"/>\
        <text x="\(at(names + 32))" y="\(at(y + 9))">\(name) (\(series[index].role.rawValue))</text>
        """
    }.joined(separator: "\n")
  }

  /// Grid, numbers and title of the axis.
  private var scale: Markup {
    let lines = axis.marks.map { mark -> Markup in
      let x = at(axis.place(mark))
      return """
        <path class="grid" d="M\(x) \(at(top - 4))V\(at(bottom))"/>\
        <text class="middle" x="\(x)" y="\(at(bottom + 15))">\(axis.label(mark))</text>
        """
    }
    return """
      \(lines.joined(separator: "\n"))
      <text class="middle" x="\(at((axis.start + axis.end) / 2))" y="\(at(bottom + 32))">IoU, %</text>
      """
  }

  private func group(_ index: Int) -> Markup {
    let group = groups[index]
    let y = top + groupHeight * Double(index)
    let middle = y + barHeight * Double(series.count) / 2 + 4
    let name: Markup = """
      <text class="end" x="\(at(names - 8))" y="\(at(middle))">\
      \(ChartText.shortened(group.name, to: names - 10))</text>
      """
    guard group.isScored else {
      return
        "<g>\(name)<text class=\"quiet\" x=\"\(at(names + 4))\" y=\"\(at(middle))\">not scored</text></g>"
    }
    let bars = group.values.enumerated().map { bar($1, series[$0].role, y: y + barHeight * Double($0)) }
    return "<g>\(name)\(bars.joined())</g>"
  }

  private func bar(_ value: Double, _ role: Role, y: Double) -> Markup {
    let length = value.isFinite ? axis.place(100 * min(max(value, 0), 1)) - axis.start : 0
    return """
      <rect class="\(role.rawValue)" x="\(at(axis.start))" y="\(at(y + 1))" width="\(at(length))" \
      height="\(at(barHeight - 2))"/>\
      <text class="value" x="\(at(axis.start + length + 5))" y="\(at(y + barHeight - 1.5))">\
      \(Figure.percent(value, digits: 1))</text>
      """
  }

  private func at(_ value: Double) -> String { ChartText.coordinate(value) }
}
