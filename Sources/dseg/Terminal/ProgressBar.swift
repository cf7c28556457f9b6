import Foundation
import Synchronization

/// Progress on standard error: a bar with the time that is left on a terminal, a plain line now and then when
/// the output goes to a file or a terminal that cannot draw over a line.
final class ProgressBar: Sendable {
  private struct State {
    var lastDrawn: ContinuousClock.Instant?
    var isOpen = false
  }
  private let title: String
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  init(_ title: String) { self.title = title }

  /// Shows that a share of the work, 0 to 1, is done.
  /// - Parameter detail: what to say beside the bar
  func update(_ share: Double, _ detail: @autoclosure () -> String) {
    let now = ContinuousClock.now
    let isDue = state.withLock { state in
      let pause: Duration = Terminal.messages.redrawsLines ? .milliseconds(100) : .seconds(10)
      guard share >= 1 || state.lastDrawn.map({ now - $0 >= pause }) ?? true else { return false }
      state.lastDrawn = now
      state.isOpen = true
      return true
    }
    if isDue { draw(min(max(share, 0), 1), detail(), now) }
  }

  /// Ends the line.
  func finish() {
    let wasOpen = state.withLock { state in
      defer { state.isOpen = false }
      return state.isOpen
    }
    if wasOpen && Terminal.messages.redrawsLines { Terminal.status("\n") }
  }

  private func draw(_ share: Double, _ detail: String, _ now: ContinuousClock.Instant) {
    let elapsed = (now - start) / .seconds(1)
    let rest = share > 0.001 ? ProgressBar.time(elapsed / share - elapsed) : "…"
    let percent = "\(Int(share * 100)) %"
    let tail = share >= 1 ? "in \(ProgressBar.time(elapsed))" : "\(rest) left"
    if Terminal.messages.redrawsLines {
      // A line that fills the last column may already wrap.
      let line = Self.line(
        title: title, share: share, percent: percent, detail: detail, tail: tail,
        columns: Terminal.messages.columns - 1)
      Terminal.status("\r\u{1B}[2K\(line)")
    } else {
      Terminal.status("\(title): \(percent), \(detail), \(tail)\n")
    }
  }

  /// As much as fits: the bar gets shorter first, then the detail goes, then the bar, then the end.
  private static func line(
    title: String, share: Double, percent: String, detail: String, tail: String, columns: Int
  ) -> String {
    func text(bar width: Int, _ detail: String?) -> String {
      let filled = Int(share * Double(width))
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
      let rest = [percent, detail, tail].compactMap(\.self).joined(separator: " · ")
      return Terminal.messages.shown(width > 0 ? "\(title) \(bar) \(rest)" : "\(title) \(rest)")
    }
    for detail in [detail, nil] {
      let spare = columns - text(bar: 0, detail).count - 1
      if spare >= 6 { return text(bar: min(spare, 24), detail) }
    }
    return String(text(bar: 0, nil).prefix(max(columns, 0)))
  }

  /// `12 s`, `3 min 20 s`, `1 h 5 min`.
  static func time(_ seconds: Double) -> String {
    let whole = Int(max(0, min(seconds, 1e8)).rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
