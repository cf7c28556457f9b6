import Images
import TensorCore

/// Pictures that a model made, side by side.
public enum SampleSheet {
  /// - Parameters:
  ///   - pictures: `[N, 3, height, width]` in [-1, 1]
  ///   - columns: pictures of a row; about as many as rows unless given
  /// - Throws: `DataError` when the sheet would be too large.
  public static func image(of pictures: Tensor, columns: Int? = nil) throws(DataError) -> Image {
    precondition(pictures.rank == 4 && pictures.shape[0] > 0, "a sheet of pictures \(pictures.shape)")
    let count = pictures.shape[0]
    let columns = columns ?? Int(Double(count).squareRoot().rounded(.up))
    let zoom = max(1, 128 / max(1, pictures.shape[3]))
    var sheet = ContactSheet(columns: columns, margin: 4, zoom: zoom)
    for index in 0..<count {
      sheet.append(
        Image(tensor: pictures.samples(index..<index + 1).reshaped(Array(pictures.shape.dropFirst()))))
    }
    return try sheet.image()
  }
}
