import Base
import DiffusionSegmentation
import Foundation
import Synchronization

/// Makes a folder and those above it, checks that files can be made in it, and clears away what killed commands left
/// there half-written.
/// - Throws: `DataError` of kind `.cannotCreate`.
func createFolder(_ path: String) throws(DataError) {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    throw DataError(
      .cannotCreate, file: path, expected: "a place for a folder", found: error.localizedDescription)
  }
  guard access(path, W_OK | X_OK) == 0 else {
    throw DataError(
      .cannotCreate, file: path, expected: "a folder to write to", found: String(cString: strerror(errno)))
  }
  // Commands ask for the same folder again for every picture.
  if cleared.withLock({ $0.insert(path).inserted }) { AtomicFile.removeLeftovers(in: path) }
}

private let cleared = Mutex(Set<String>())
