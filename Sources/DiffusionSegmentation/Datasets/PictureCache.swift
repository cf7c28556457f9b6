import Base
import Images
import Synchronization

/// Pictures as they were decoded, as far as there is room; and which of them cannot be decoded.
final class PictureCache: Sendable {
  private struct State {
    var samples: [[UInt8]?]
    var kept = 0
    var broken: [Int: DataError] = [:]
  }
  private let state: Mutex<State>
  private let mostKept: Int
  private let paths: [String]
  private let imageSize: Int
  private let orientation: OrientationHandling
  private let notices: Notices

  init(
    paths: [String], imageSize: Int, orientation: OrientationHandling, bytes: Int, samples: [Int: [UInt8]],
    notices: Notices
  ) {
    (self.orientation, self.notices) = (orientation, notices)
    self.paths = paths
    self.imageSize = imageSize
    mostKept = bytes / (3 * imageSize * imageSize)
    var all = [[UInt8]?](repeating: nil, count: paths.count)
    let first = samples.keys.sorted().prefix(mostKept)
    for index in first { all[index] = samples[index] }
    state = Mutex(State(samples: all, kept: first.count))
  }

  /// Planes of samples, `[3, imageSize, imageSize]`.
  /// - Throws: `DataError` when the picture cannot be read. What is wrong with its contents is remembered; a file that is
  ///   gone may come back.
  func samples(_ index: Int) throws(DataError) -> [UInt8] {
    let known = state.withLock { ($0.samples[index], $0.broken[index]) }
    if let samples = known.0 { return samples }
    if let error = known.1 { throw error }
    let samples: [UInt8]
    do throws(DataError) {
      samples = try Self.read(
        paths[index], imageSize: imageSize, orientation: orientation, notices: notices)
    } catch {
      if error.kind != .noInput { state.withLock { $0.broken[index] = error } }
      throw error
    }
    state.withLock { state in
      guard state.kept < mostKept, state.samples[index] == nil else { return }
      state.samples[index] = samples
      state.kept += 1
    }
    return samples
  }

  static func read(
    _ path: String, imageSize: Int, orientation: OrientationHandling, notices: Notices
  ) throws(DataError) -> [UInt8] {
    let image = try Image(contentsOf: path, orientation: orientation, notices: notices)
      .centerCropped(size: imageSize)
    let pixels = image.pixels
    let count = imageSize * imageSize
    return [UInt8](unsafeUninitializedCapacity: 3 * count) { planes, filled in
      for channel in 0..<3 {
        for pixel in 0..<count { planes[channel * count + pixel] = pixels[3 * pixel + channel] }
      }
      filled = 3 * count
    }
  }
}
