import DiffusionCore
import Images
import Synchronization
import TensorCore

/// The pictures that a diffusion model is trained on: the centre square of each, as guided-diffusion prepares them.
///
/// They are kept as 8-bit samples in memory, as far as `cacheBytes` go; the rest is read again each time.
public struct UnlabelledImages: TrainingPictures, Sendable {
  public let paths: [String]
  public let imageSize: Int
  /// Names of the classes, if pictures have any: the folders that they lie in.
  public let classNames: [String]?
  private let labels: [Int]
  /// `[3, imageSize, imageSize]` each, for the first of the pictures.
  private let samples: [[UInt8]]

  public var count: Int { paths.count }

  /// Reads all pictures of a folder once.
  /// - Parameters:
  ///   - imageSize: side of the squares, in pixels
  ///   - usesClasses: whether the folders below are classes
  ///   - notices: told of pictures that cannot be read and are left out
  ///   - progress: the share that is done
  /// - Throws: `DataError` when there is no such folder, no picture in it can be read, or one cannot when
  ///   the notices are strict.
  public init(
    directory: String, imageSize: Int, usesClasses: Bool = false, notices: Notices = Notices(),
    cacheBytes: Int = 2 << 30, progress: (Double) -> Void = { _ in }
  ) throws(DataError) {
    precondition(imageSize > 0, "pictures of \(imageSize) px")
    let all = try PictureFiles.list(directory, notices: notices)
    let size = 3 * imageSize * imageSize
    let cached = cacheBytes / size
    var (paths, samples) = ([String](), [[UInt8]]())
    var first: DataError?
    // A block at a time on all threads, for the sake of the progress.
    for start in stride(from: 0, to: all.count, by: 64) {
      let block = all[start..<min(all.count, start + 64)]
      for (path, result) in zip(block, Self.read(Array(block), imageSize: imageSize)) {
        switch result {
        case .success(let bytes):
          paths.append(path)
          if samples.count < cached { samples.append(bytes) }
        case .failure(let error):
          try notices.leaveOut(error)
          first = first ?? error
        }
      }
      progress(Double(start + block.count) / Double(all.count))
    }
    if paths.isEmpty, let first { throw first }
    self.paths = paths
    self.imageSize = imageSize
    self.samples = samples
    guard usesClasses else {
      (classNames, labels) = (nil, [])
      return
    }
    let folders = paths.map { Self.folder(of: $0, in: directory) }
    let names = Set(folders).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard !names.contains("") else {
      throw DataError(
        .malformed, file: directory, expected: "every picture in a folder that names its class",
        found: paths[folders.firstIndex(of: "")!])
    }
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    (classNames, labels) = (names, folders.map { numbers[$0]! })
  }

  public func label(of index: Int) -> Int? { classNames == nil ? nil : labels[index] }

  /// - Throws: `DataError` when a picture that is not kept in memory has gone since.
  public func read(_ index: Int, into target: UnsafeMutablePointer<Float>) throws(DataError) {
    let bytes =
      index < samples.count ? samples[index] : try Self.read(paths[index], imageSize: imageSize).get()
    Self.widen(bytes, into: target)
  }

  /// `x / 127.5 - 1` (`ImageDataset` of guided-diffusion).
  private static func widen(_ bytes: [UInt8], into target: UnsafeMutablePointer<Float>) {
    for (index, byte) in bytes.enumerated() { target[index] = Float(byte) / 127.5 - 1 }
  }

  private static func read(_ paths: [String], imageSize: Int) -> [Result<[UInt8], DataError>] {
    let results = Mutex([Int: Result<[UInt8], DataError>]())
    parallelFor(paths.count) { index in
      let result = read(paths[index], imageSize: imageSize)
      results.withLock { $0[index] = result }
    }
    return results.withLock { found in paths.indices.map { found[$0]! } }
  }

  /// Planes of samples, `[3, imageSize, imageSize]`.
  private static func read(_ path: String, imageSize: Int) -> Result<[UInt8], DataError> {
    do throws(DataError) {
      let image = try Image(contentsOf: path).centerCropped(size: imageSize)
      let pixels = image.pixels
      let count = imageSize * imageSize
      return .success(
        [UInt8](unsafeUninitializedCapacity: 3 * count) { planes, filled in
          for channel in 0..<3 {
            for pixel in 0..<count { planes[channel * count + pixel] = pixels[3 * pixel + channel] }
          }
          filled = 3 * count
        })
    } catch {
      return .failure(error)
    }
  }

  /// The first folder on the way from a directory to a picture; empty when it lies there itself.
  private static func folder(of path: String, in directory: String) -> String {
    let inside = path.dropFirst(directory.count).drop { $0 == "/" }
    let parts = inside.split(separator: "/")
    return parts.count > 1 ? String(parts[0]) : ""
  }
}
