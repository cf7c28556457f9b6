/// The sign of a curve: one of twelve shapes, filled or hollow, in one of six colours.
struct ChartMarker {
  /// Which one; numbers from 12 on repeat.
  let number: Int

  /// Class whose colour the style sheet knows.
  var colorClass: String { "c\(number % 6)" }

  /// The filled and the hollow sign. `prefix` keeps the ids of several charts apart.
  func definitions(prefix: String) -> Markup {
    [true, false].map { isFilled -> Markup in
      """
      <marker id="\(name(prefix, isFilled))" class="\(colorClass)" viewBox="-6 -6 12 12" markerWidth="12" \
      markerHeight="12" markerUnits="userSpaceOnUse"><path class="\(isFilled ? "filled" : "hollow")" \
      d="\(shape)"/></marker>
      """
    }.joined(separator: "\n")
  }

  /// Attributes that put the sign on every point of a path.
  func attributes(prefix: String, isFilled: Bool) -> Markup {
    ["start", "mid", "end"].map { place -> Markup in
      "marker-\(place)=\"url(#\(name(prefix, isFilled)))\""
    }.joined(separator: " ")
  }

  private func name(_ prefix: String, _ isFilled: Bool) -> String {
    "\(prefix)-\(isFilled ? "filled" : "hollow")-\(number)"
  }

  /// Outline around the origin, within 4 pixels.
  private var shape: String {
    let shapes = [
      "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z",
      "M-3.2-3.2H3.2V3.2H-3.2Z",
      "M0-4.2L4 3.2H-4Z",
      "M0-4.6L4.6 0L0 4.6L-4.6 0Z",
      "M0 4.2L4-3.2H-4Z",
      "M-1.2-4H1.2V-1.2H4V1.2H1.2V4H-1.2V1.2H-4V-1.2H-1.2Z",
      "M-3.6-3.6H3.6L-3.6 3.6H3.6Z",
      "M-3.6-3.6V3.6L3.6-3.6V3.6Z",
      "M0-5L1.2-1.6L4.8-1.6L1.9.6L3 4L0 1.9L-3 4L-1.9.6L-4.8-1.6L-1.2-1.6Z",
      "M4.2 0L-3.2 4V-4Z",
      "M-4.2 0L3.2 4V-4Z",
      "M-4.4-1.6H4.4V1.6H-4.4Z",
    ]
    return shapes[number % shapes.count]
  }
}
