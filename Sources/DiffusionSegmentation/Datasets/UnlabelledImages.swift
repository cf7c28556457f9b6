import Base
import Images
import Synchronization
import TensorCore
import Training

/// The pictures that a model is trained on without labels: the centre square of each, as guided-diffusion prepares them,
/// or whole pictures for those who cut parts out of them.
///
/// At the start every file is looked at, and only those are decoded that do not begin and end as a picture does; the
/// others are decoded when they are first used, and kept as 8-bit samples in memory as far as `cacheBytes` go. One that
/// turns out to be damaged then is left out: the next sound one of its class, in the order of the list, is shown in its
/// place. So what is shown in a step follows from the files alone, not from what was decoded before, and a training that
/// goes on sees what one that never stopped would have seen.
public struct UnlabelledImages: TrainingPictures, Sendable {
  /// Paths of the pictures, in order, with the page of files with several.
  public let paths: [String]
  public let imageSize: Int
  /// Names of the classes, if pictures have any: the folders that they lie in.
  public let classNames: [String]?
  /// What tells this list from others.
  public let record: PictureListRecord
  private let labels: [Int]
  /// Whether `image` gives whole pictures rather than centre squares.
  public let keepsWhole: Bool
  private let cache: PictureCache
  private let notices: Notices

  public var count: Int { paths.count }

  /// Looks at all pictures of a folder.
  /// - Parameters:
  ///   - directory: path of the folder; folders inside it are searched too
  ///   - imageSize: side of the squares, in pixels
  ///   - keepsWhole: whether `image` gives whole pictures rather than centre squares
  ///   - usesClasses: whether the folders below are classes
  ///   - reading: how files become pictures
  ///   - notices: told of pictures that cannot be read and are left out, now or when they are first used
  ///   - cacheBytes: decoded pictures are kept in memory up to so many bytes; 2 GiB unless given
  ///   - progress: the share that is done
  /// - Throws: `DataError` when there is no such folder, no picture in it can be read, or one cannot when
  ///   the notices are strict.
  public init(
    directory: String, imageSize: Int, keepsWhole: Bool = false, usesClasses: Bool = false,
    reading: PictureReading = PictureReading(), notices: Notices = Notices(), cacheBytes: Int = 2 << 30,
    progress: (Double) throws(DataError) -> Void = { _ in }
  ) throws(DataError) {
    precondition(imageSize > 0, "pictures of \(imageSize) px")
    let all = try PictureFiles.pages(directory, notices: notices)
    let side = keepsWhole ? nil : imageSize
    var (files, sizes, images) = ([PictureFile](), [Int](), [Int: Image]())
    var first: DataError?
    // A block at a time on all threads, for the sake of the progress.
    for start in stride(from: 0, to: all.count, by: 256) {
      let block = Array(all[start..<min(all.count, start + 256)])
      for (file, result) in zip(
        block,
        Self.look(
          at: block, side: side, reading: reading, notices: notices))
      {
        switch result {
        case .success(let found):
          if let decoded = found.image { images[files.count] = decoded }
          files.append(file)
          sizes.append(found.byteCount)
        case .failure(let error):
          try notices.leaveOut(error)
          first = first ?? error
        }
      }
      try Cancellation.check()
      try progress(Double(start + block.count) / Double(all.count))
    }
    if files.isEmpty, let first { throw first }
    paths = files.map(\.title)
    self.imageSize = imageSize
    self.keepsWhole = keepsWhole
    self.notices = notices
    cache = PictureCache(
      files: files, side: side, reading: reading, bytes: cacheBytes, images: images,
      notices: notices)
    (classNames, labels) = try usesClasses ? Self.classes(of: paths, in: directory) : (nil, [])
    record = PictureListRecord(
      names: paths.map { Self.name(of: $0, in: directory) }, sizes: sizes, classNames: classNames)
  }

  public func label(of index: Int) -> Int? { classNames == nil ? nil : labels[index] }

  /// - Throws: `DataError` when a picture that is not kept in memory has gone since, or is damaged and the notices are
  ///   strict, or there is no sound one to take its place.
  public func read(_ index: Int, into target: UnsafeMutablePointer<Float>) throws(DataError) {
    let image = try image(index)
    // `x / 127.5 - 1` (`ImageDataset` of guided-diffusion).
    let square = (keepsWhole ? image.centerCropped(size: imageSize) : image)
      .tensor(normalization: .ddpmTraining)
    withPointers(square) { target.update(from: $0, count: square.count) }
  }

  /// The whole picture, or its centre square.
  /// - Throws: `DataError` as `read`.
  public func image(_ index: Int) throws(DataError) -> Image {
    var place = index
    while true {
      do throws(DataError) {
        return try cache.image(place)
      } catch {
        // A file that was there before must not be another picture after it has gone.
        guard error.kind != .noInput else { throw error }
        try notices.leaveOut(error)
        repeat { place = (place + 1) % count } while place != index && label(of: place) != label(of: index)
        if place == index { throw error }
      }
    }
  }

  // MARK: The list

  private struct Found {
    var byteCount: Int
    /// A picture that had to be decoded.
    var image: Image?
  }

  private static func look(
    at files: [PictureFile], side: Int?, reading: PictureReading, notices: Notices
  ) -> [Result<Found, DataError>] {
    let results = Mutex([Int: Result<Found, DataError>]())
    parallelFor(files.count) { index in
      let result = Result { () throws(DataError) in
        let check = try PictureCheck(files[index].path)
        let image =
          check.looksWhole
          ? nil
          : try PictureCache.read(files[index], side: side, reading: reading, notices: notices)
        return Found(byteCount: check.byteCount, image: image)
      }
      results.withLock { $0[index] = result }
    }
    return results.withLock { found in files.indices.map { found[$0]! } }
  }

  private static func classes(
    of paths: [String], in directory: String
  ) throws(DataError) -> (names: [String]?, labels: [Int]) {
    let folders = paths.map { folder(of: $0, in: directory) }
    let names = Set(folders).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard !names.contains("") else {
      throw DataError(
        .malformed, file: directory, expected: "every picture in a folder that names its class",
        found: paths[folders.firstIndex(of: "")!])
    }
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    return (names, folders.map { numbers[$0]! })
  }

  /// A path from the directory on.
  private static func name(of path: String, in directory: String) -> String {
    String(path.dropFirst(directory.count).drop { $0 == "/" })
  }

  /// The first folder on the way from a directory to a picture; empty when it lies there itself.
  private static func folder(of path: String, in directory: String) -> String {
    let parts = name(of: path, in: directory).split(separator: "/")
    return parts.count > 1 ? String(parts[0]) : ""
  }
}
