import Foundation

/// Horizontal bars of shares, grouped, as inline SVG.
///
/// What a bar stands for shows in its filling and not in its colour alone: hollow, dark or something between.
struct BarChart {
  /// What a preset is in a report.
  enum Role: String {
    case first
    case last
    case best
    /// One of several that are all shown.
    case other
  }

  /// The bars of one preset.
  struct Series {
    var name: String
    var role: Role
    /// Class of the style sheet that fills its bars.
    var filling: String

    /// - Parameter filling: that of its role unless given
    init(name: String, role: Role, filling: String? = nil) {
      (self.name, self.role, self.filling) = (name, role, filling ?? role.rawValue)
    }

    /// Name and role.
    var title: String { role == .other ? name : "\(name) (\(role.rawValue))" }
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
  /// Empty for one series that needs no name.
  var series: [Series]
  var groups: [Group]

  private let width = 480.0
  private let barHeight = 11.0
  private let legendLine = 18.0
  private let axisHeight = 38.0

  private var names: Double {
    min(140, 14 + (groups.map { ChartText.width($0.name) }.max() ?? 0))
  }
  private var axis: ChartAxis { ChartAxis(range: 0...100, step: 20, from: names, to: width - 44) }
  private var top: Double { legendLine * Double(series.count) + 12 }
  private var groupHeight: Double { barHeight * Double(max(series.count, 1)) + 9 }
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
    let names = series.isEmpty ? "" : ", with \(Figure.list(series.map(\.title)))"
    guard let low = scored.min(by: { $0.values[0] < $1.values[0] }),
      let high = scored.max(by: { $0.values[0] < $1.values[0] })
    else { return title + names }
    let range =
      "\(low.name) \(Figure.percent(low.values[0], digits: 1)) % is lowest and "
      + "\(high.name) \(Figure.percent(high.values[0], digits: 1)) % highest"
    return "\(title)\(names). \(series.first.map { "With \($0.name)," } ?? "Of all,") \(range)."
  }

  private var legend: Markup {
    series.indices.map { index -> Markup in
      let y = legendLine * Double(index) + 4
      let name = ChartText.shortened(series[index].title, to: 300)
      return """
        <rect class="\(series[index].filling)" x="\(at(names))" y="\(at(y))" width="24" height="9"/>\
        <text x="\(at(names + 32))" y="\(at(y + 9))">\(name)</text>
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
    let middle = y + barHeight * Double(max(series.count, 1)) / 2 + 4
    let name: Markup = """
      <text class="end" x="\(at(names - 8))" y="\(at(middle))">\
      \(ChartText.shortened(group.name, to: names - 10))</text>
      """
    guard group.isScored else {
      return
        "<g>\(name)<text class=\"quiet\" x=\"\(at(names + 4))\" y=\"\(at(middle))\">not scored</text></g>"
    }
    let bars = group.values.enumerated().map {
      bar($1, series.isEmpty ? "last" : series[$0].filling, y: y + barHeight * Double($0))
    }
    return "<g>\(name)\(bars.joined())</g>"
  }

  private func bar(_ value: Double, _ filling: String, y: Double) -> Markup {
    let length = value.isFinite ? axis.place(100 * min(max(value, 0), 1)) - axis.start : 0
    return """
      <rect class="\(filling)" x="\(at(axis.start))" y="\(at(y + 1))" width="\(at(length))" \
      height="\(at(barHeight - 2))"/>\
      <text class="value" x="\(at(axis.start + length + 5))" y="\(at(y + barHeight - 1.5))">\
      \(Figure.percent(value, digits: 1))</text>
      """
  }

  private func at(_ value: Double) -> String { ChartText.coordinate(value) }
}
