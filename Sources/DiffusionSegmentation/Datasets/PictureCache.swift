import Base
import Images
import Synchronization

/// Pictures as they were decoded, as far as there is room; and which of them cannot be decoded.
final class PictureCache: Sendable {
  private struct State {
    var images: [Image?]
    var keptBytes = 0
    var broken: [Int: DataError] = [:]
  }
  private let state: Mutex<State>
  private let mostBytes: Int
  private let files: [PictureFile]
  /// Side of the centre squares that are kept; nil for whole pictures.
  private let side: Int?
  private let reading: PictureReading
  private let notices: Notices

  init(
    files: [PictureFile], side: Int?, reading: PictureReading, bytes: Int, images: [Int: Image],
    notices: Notices
  ) {
    (self.reading, self.notices) = (reading, notices)
    self.files = files
    self.side = side
    mostBytes = bytes
    state = Mutex(State(images: [Image?](repeating: nil, count: files.count)))
    state.withLock { state in
      for index in images.keys.sorted() { Self.keep(images[index]!, at: index, in: &state, most: bytes) }
    }
  }

  private static func keep(_ image: Image, at index: Int, in state: inout State, most: Int) {
    guard state.images[index] == nil, state.keptBytes + image.pixels.count <= most else { return }
    state.images[index] = image
    state.keptBytes += image.pixels.count
  }

  /// A picture, or its centre square.
  /// - Throws: `DataError` when the picture cannot be read. What is wrong with its contents is remembered; a file that is
  ///   gone may come back.
  func image(_ index: Int) throws(DataError) -> Image {
    let known = state.withLock { ($0.images[index], $0.broken[index]) }
    if let image = known.0 { return image }
    if let error = known.1 { throw error }
    let image: Image
    do throws(DataError) {
      image = try Self.read(files[index], side: side, reading: reading, notices: notices)
    } catch {
      if error.kind != .noInput { state.withLock { $0.broken[index] = error } }
      throw error
    }
    state.withLock { Self.keep(image, at: index, in: &$0, most: mostBytes) }
    return image
  }

  static func read(
    _ file: PictureFile, side: Int?, reading: PictureReading, notices: Notices
  ) throws(DataError) -> Image {
    let image = try file.image(reading: reading, notices: notices)
    return if let side { image.centerCropped(size: side) } else { image }
  }
}
