import Base
import DiffusionSegmentation
import Synchronization

extension Notices {
  /// Those of the running command: said on standard error as they come, and in what `--json` prints.
  static let ofThisRun = Notices { notice in
    let count = counts.withLock { counts in
      counts[Sort(notice), default: 0] += 1
      return counts[Sort(notice)]!
    }
    if count <= mostOfASort { Terminal.message("warning: \(notice)") }
  }

  /// Says how many notices were too many to be said one by one.
  static func finish() {
    let counts = counts.withLock { $0 }
    for (sort, count) in counts.sorted(by: { $0.key.text < $1.key.text }) where count > mostOfASort {
      Terminal.message(
        "warning: \(count - mostOfASort) more: \(sort.kind.rawValue): \(sort.text) (--json lists all)")
    }
  }

  /// Thousands of photos with the same peculiarity must not hide everything else.
  private static let mostOfASort = 10
  private static let counts = Mutex([Sort: Int]())

  private struct Sort: Hashable {
    var kind: Notice.Kind
    var text: String

    init(_ notice: Notice) { (kind, text) = (notice.kind, notice.text) }
  }
}
