import Base
import Images
import TensorCore

/// Pictures that a model made, side by side.
public enum SampleSheet {
  /// - Parameters:
  ///   - pictures: `[N, C, height, width]` in [-1, 1], C of 3, or 1 for grey
  ///   - columns: pictures of a row; about as many as rows unless given
  /// - Throws: `DataError` when the pictures have other channels, or the sheet would be too large.
  public static func image(of pictures: Tensor, columns: Int? = nil) throws(DataError) -> Image {
    precondition(pictures.rank == 4 && pictures.shape[0] > 0, "a sheet of pictures \(pictures.shape)")
    try check(channels: pictures.shape[1])
    let count = pictures.shape[0]
    let columns = columns ?? Int(Double(count).squareRoot().rounded(.up))
    let zoom = max(1, 128 / max(1, pictures.shape[3]))
    var sheet = ContactSheet(columns: columns, margin: 4, zoom: zoom)
    for index in 0..<count {
      let picture = pictures.samples(index..<index + 1)
      let planes = pictures.shape[1] == 1 ? [picture, picture, picture] : [picture]
      sheet.append(
        Image(tensor: stack(planes).reshaped([3, pictures.shape[2], pictures.shape[3]])))
    }
    return try sheet.image()
  }

  /// - Throws: `DataError` when pictures of so many channels cannot be shown.
  public static func check(channels: Int) throws(DataError) {
    guard channels == 3 || channels == 1 else {
      throw DataError(
        .unsupported, file: "network", item: "channels of its pictures", expected: "3, or 1",
        found: "\(channels)")
    }
  }
}
