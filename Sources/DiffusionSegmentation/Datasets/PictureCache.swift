import Augment
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
  private let form: PictureForm
  /// Sizes at which pictures are cut; empty where they are not cut at random places.
  private let canvases: [CropCanvas]
  private let notices: Notices

  /// - Parameters:
  ///   - files: the pictures
  ///   - form: what becomes of them
  ///   - canvases: sizes at which they are cut; empty where they are not cut at random places
  ///   - bytes: how much is kept
  ///   - images: those that were decoded already
  ///   - notices: told of what is peculiar about a picture
  init(
    files: [PictureFile], form: PictureForm, canvases: [CropCanvas] = [], bytes: Int, images: [Int: Image],
    notices: Notices
  ) {
    (self.form, self.canvases, self.notices) = (form, canvases, notices)
    self.files = files
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

  /// A picture in its form; at its own size where it is cut and there is no room for it.
  /// - Throws: `DataError` when the picture cannot be read. What is wrong with its contents is remembered; a file that is
  ///   gone may come back.
  func image(_ index: Int) throws(DataError) -> Image {
    if let image = kept(index) { return image }
    let canvas = canvases.isEmpty ? nil : canvases[index]
    let isKept = canvas == nil || hasRoom(for: index)
    let image = try remembering(index) { () throws(DataError) in
      try form.read(files[index], canvas: canvas, isKept: isKept, notices: notices)
    }
    if isKept { state.withLock { Self.keep(image, at: index, in: &$0, most: mostBytes) } }
    return image
  }

  /// A picture that is in memory.
  func kept(_ index: Int) -> Image? { state.withLock { $0.images[index] } }

  /// Whether a picture that is to be cut is kept in memory, or will be when it is decoded.
  func hasRoom(for index: Int) -> Bool {
    let bytes = canvases[index].keptBytes
    guard bytes <= 3 * Image.maximumPixelCount else { return false }
    return state.withLock { $0.images[index] != nil || $0.keptBytes + bytes <= mostBytes }
  }

  /// A square that is read from the file alone; nil where it is better to decode the whole picture.
  /// - Throws: `DataError` as `image`.
  func square(_ tile: Tile, of index: Int) throws(DataError) -> Image? {
    try remembering(index) { () throws(DataError) in
      try form.square(tile, of: files[index], canvas: canvases[index], notices: notices)
    }
  }

  /// Remembers what is wrong with a picture.
  private func remembering<Value>(
    _ index: Int, _ body: () throws(DataError) -> Value
  ) throws(DataError) -> Value {
    if let error = state.withLock({ $0.broken[index] }) { throw error }
    do throws(DataError) {
      return try body()
    } catch {
      if error.kind != .noInput { state.withLock { $0.broken[index] = error } }
      throw error
    }
  }
}
