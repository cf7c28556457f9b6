import Augment
import Base
import Images
import Synchronization
import TensorCore
import Training

/// The pictures that a model is trained on without labels: the centre square of each, as guided-diffusion prepares them,
/// whole pictures for those who cut parts out of them, or squares at random places of them.
///
/// At the start every file is looked at, and only those are decoded that do not begin and end as a picture does; the
/// others are decoded when they are first used, and kept as 8-bit samples in memory as far as `cacheBytes` go. One that
/// turns out to be damaged then is left out: the next sound one of its class, in the order of the list, is shown in its
/// place. So what is shown in a step follows from the files alone, not from what was decoded before, and a training that
/// goes on sees what one that never stopped would have seen.
///
/// Squares at random places are drawn anew at each visit. Pictures are then kept as they are, or scaled where that is
/// smaller. Of one for which there is no room the squares of some later visits are cut when it is decoded; of a TIFF file
/// that is much higher than a square only the strips or tiles are decoded that it lies in.
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
  /// Which square of a picture is shown.
  public let crop: PictureCrop
  private let cache: PictureCache
  /// Nil unless squares lie at random places.
  private let squares: PictureSquares?
  private let notices: Notices

  public var count: Int { paths.count }

  /// Looks at all pictures of a folder.
  /// - Parameters:
  ///   - directory: path of the folder; folders inside it are searched too
  ///   - imageSize: side of the squares, in pixels
  ///   - keepsWhole: whether `image` gives whole pictures rather than centre squares
  ///   - usesClasses: whether the folders below are classes
  ///   - crop: which square of a picture is shown; at random places squares take the place of whole pictures
  ///   - reading: how files become pictures
  ///   - notices: told of pictures that cannot be read and are left out, now or when they are first used, and how many are
  ///     enlarged to be cut
  ///   - cacheBytes: decoded pictures are kept in memory up to so many bytes; 2 GiB unless given
  ///   - progress: the share that is done
  /// - Throws: `DataError` when there is no such folder, no picture in it can be read, or one cannot when
  ///   the notices are strict.
  public init(
    directory: String, imageSize: Int, keepsWhole: Bool = false, usesClasses: Bool = false,
    crop: PictureCrop = .centre, reading: PictureReading = PictureReading(), notices: Notices = Notices(),
    cacheBytes: Int = 2 << 30, progress: (Double) throws(DataError) -> Void = { _ in }
  ) throws(DataError) {
    precondition(imageSize > 0, "pictures of \(imageSize) px")
    try crop.validate()
    let all = try PictureFiles.pages(directory, notices: notices)
    let form = PictureForm(imageSize: imageSize, keepsWhole: keepsWhole, crop: crop, reading: reading)
    var (files, sizes, canvases, images) = ([PictureFile](), [Int](), [CropCanvas](), [Int: Image]())
    var first: DataError?
    // A block at a time on all threads, for the sake of the progress.
    for start in stride(from: 0, to: all.count, by: 256) {
      let block = Array(all[start..<min(all.count, start + 256)])
      for (file, result) in zip(block, Self.look(at: block, form: form, notices: notices)) {
        switch result {
        case .success(let found):
          if let decoded = found.image { images[files.count] = decoded }
          files.append(file)
          sizes.append(found.byteCount)
          if let canvas = found.canvas { canvases.append(canvas) }
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
    (self.keepsWhole, self.crop) = (keepsWhole, crop)
    self.notices = notices
    let bytesOfSquares = PictureSquares.bytes(canvases, cacheBytes: cacheBytes)
    cache = PictureCache(
      files: files, form: form, canvases: canvases, bytes: cacheBytes - bytesOfSquares, images: images,
      notices: notices)
    squares =
      crop == .centre
      ? nil : PictureSquares(canvases: canvases, side: imageSize, cache: cache, bytes: bytesOfSquares)
    let enlarged = canvases.count { $0.isEnlarged }
    if enlarged > 0 {
      notices.add(
        .changed, file: directory, item: "size",
        "\(enlarged) of \(canvases.count) pictures are smaller than \(imageSize) pixels at their scale, and enlarged "
          + "until their shorter side fits")
    }
    (classNames, labels) = try usesClasses ? Self.classes(of: paths, in: directory) : (nil, [])
    record = PictureListRecord(
      names: paths.map { Self.name(of: $0, in: directory) }, sizes: sizes, classNames: classNames)
  }

  public func label(of index: Int) -> Int? { classNames == nil ? nil : labels[index] }

  /// - Throws: `DataError` when a picture that is not kept in memory has gone since, or is damaged and the notices are
  ///   strict, or there is no sound one to take its place.
  public func read(_ index: Int, into target: UnsafeMutablePointer<Float>) throws(DataError) {
    let image = try image(index)
    write(keepsWhole && squares == nil ? image.centerCropped(size: imageSize) : image, into: target)
  }

  /// Writes a square at a random place, or what the form for a number writes.
  /// - Throws: `DataError` as that form.
  public func read(_ visit: PictureVisit, into target: UnsafeMutablePointer<Float>) throws(DataError) {
    guard squares != nil else { return try read(visit.picture, into: target) }
    write(try image(visit), into: target)
  }

  private func write(_ square: Image, into target: UnsafeMutablePointer<Float>) {
    // `x / 127.5 - 1` (`ImageDataset` of guided-diffusion).
    let square = square.tensor(normalization: .ddpmTraining)
    withPointers(square) { target.update(from: $0, count: square.count) }
  }

  /// The whole picture or its centre square; where squares lie at random places, the one in the middle at their scale.
  /// - Throws: `DataError` as `read`.
  public func image(_ index: Int) throws(DataError) -> Image {
    try sound(from: index) { (place) throws(DataError) in
      if let squares { return try squares.middle(of: place) }
      return try cache.image(place)
    }
  }

  /// A square at a random place, or what the form for a number gives.
  /// - Throws: `DataError` as `read`.
  public func image(_ visit: PictureVisit) throws(DataError) -> Image {
    guard let squares else { return try image(visit.picture) }
    if let square = squares.waiting(for: visit) { return square }
    return try sound(from: visit.picture) { (place) throws(DataError) in
      try squares.square(visit, of: place)
    }
  }

  /// What is read of a picture, or of the next sound one of its class.
  private func sound(
    from index: Int, _ read: (Int) throws(DataError) -> Image
  ) throws(DataError) -> Image {
    var place = index
    while true {
      do throws(DataError) {
        return try read(place)
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
    /// The size at which it is cut.
    var canvas: CropCanvas?
    /// A picture that had to be decoded.
    var image: Image?
  }

  private static func look(
    at files: [PictureFile], form: PictureForm, notices: Notices
  ) -> [Result<Found, DataError>] {
    let results = Mutex([Int: Result<Found, DataError>]())
    parallelFor(files.count) { index in
      let result = Result { () throws(DataError) in
        let check = try PictureCheck(files[index].path)
        let canvas = try form.canvas(of: files[index])
        let image = check.looksWhole ? nil : try form.read(files[index], canvas: canvas, notices: notices)
        return Found(byteCount: check.byteCount, canvas: canvas, image: image)
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
