import Foundation
import Synchronization

/// Progress on standard error: a bar with the time that is left on a terminal, a plain line now and then when
/// the output goes to a file.
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
      let pause: Duration = Terminal.isInteractive ? .milliseconds(100) : .seconds(10)
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
    if wasOpen && Terminal.isInteractive { Terminal.status("\n") }
  }

  private func draw(_ share: Double, _ detail: String, _ now: ContinuousClock.Instant) {
    let elapsed = (now - start) / .seconds(1)
    let rest = share > 0.001 ? ProgressBar.time(elapsed / share - elapsed) : "…"
    let percent = "\(Int(share * 100)) %"
    if Terminal.isInteractive {
      let width = 24
      let filled = Int(share * Double(width))
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
      let tail = share >= 1 ? "in \(ProgressBar.time(elapsed))" : "\(rest) left"
      Terminal.status("\r\u{1B}[2K\(title) \(bar) \(percent) · \(detail) · \(tail)")
    } else {
      let tail = share >= 1 ? "in \(ProgressBar.time(elapsed))" : "\(rest) left"
      Terminal.status("\(title): \(percent), \(detail), \(tail)\n")
    }
  }

  /// `12 s`, `3 min 20 s`, `1 h 5 min`.
  static func time(_ seconds: Double) -> String {
    let whole = Int(max(0, min(seconds, 1e8)).rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
