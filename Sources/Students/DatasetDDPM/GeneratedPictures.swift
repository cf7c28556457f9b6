import Base
import Checkpoints
import Images
import PixelClassifier
import TensorCore

/// A file of pictures that a generative model made, with labels and an uncertainty for each, as DatasetDDPM and DatasetGAN
/// write them: an `.npz` of positional arrays.
///
/// | array | of DatasetDDPM | of DatasetGAN |
/// |---|---|---|
/// | pictures, uint8 `[n, H, W, 3]` | `arr_0` | `arr_0` |
/// | labels, whole numbers `[n, H, W]` | `arr_1` | `arr_1` |
/// | latent codes, which are left out | | `arr_2` |
/// | uncertainties `[n]` | `arr_2` | `arr_3` |
///
/// Source: `src/datasets.py` of ddpm-segmentation
public struct GeneratedPictures: Sendable {
  public let path: String
  /// Pictures in the file.
  public let count: Int
  /// Of each picture, in pixels.
  public let width: Int
  /// Of each picture, in pixels.
  public let height: Int
  /// Of each picture; the larger, the less the classifiers agreed.
  public let uncertainties: [Float]
  private let pictures: NumericArray
  private let labels: NumericArray

  /// Opens a file. Pictures stay in it until they are asked for where they are stored uncompressed.
  /// - Throws: `DataError` that names the array which is missing, of another type or of another shape, or the
  ///   uncertainty that is no number.
  public init(contentsOf path: String) throws(DataError) {
    let file = try NpzFile(contentsOf: path)
    func refusal(_ item: String, _ expected: String, _ found: String) -> DataError {
      DataError(.malformed, file: path, item: item, expected: expected, found: found)
    }
    guard file.names.count == 3 || file.names.count == 4 else {
      throw refusal(
        "", "three arrays, or four with latent codes", file.names.joined(separator: ", "))
    }
    pictures = try file.array(named: "arr_0")
    guard pictures.elementType == .uint8, pictures.shape.count == 4, pictures.shape[3] == 3,
      pictures.shape.allSatisfy({ $0 > 0 }), pictures.shape[1] <= Image.maximumPixelCount / pictures.shape[2]
    else {
      throw refusal(
        "arr_0", "pictures, uint8 [n, H, W, 3]", "\(pictures.elementType.rawValue) \(pictures.shape)")
    }
    labels = try file.array(named: "arr_1")
    guard !labels.elementType.isFloatingPoint, labels.shape == Array(pictures.shape.prefix(3)) else {
      throw refusal(
        "arr_1", "labels, whole numbers \(pictures.shape.prefix(3))",
        "\(labels.elementType.rawValue) \(labels.shape)")
    }
    let last = "arr_\(file.names.count - 1)"
    let scores = try file.array(named: last)
    guard scores.shape == [pictures.shape[0]] else {
      throw refusal(last, "an uncertainty for each of \(pictures.shape[0]) pictures", "\(scores.shape)")
    }
    uncertainties = scores.tensor().elements
    if let place = uncertainties.firstIndex(where: { !$0.isFinite }) {
      throw refusal("\(last)[\(place)]", "a finite uncertainty", "\(uncertainties[place])")
    }
    self.path = path
    (count, height, width) = (pictures.shape[0], pictures.shape[1], pictures.shape[2])
  }

  /// The pictures that a student is trained on, in the order of the reference: by rising uncertainty where a portion is
  /// dropped, else that of the file.
  /// - Parameters:
  ///   - most: so many of the first pictures are looked at; 0 for all
  ///   - portion: share of them to drop, 0 to 1; 0 for none
  /// - Throws: `DataError` where the rule of the reference leaves nothing: a portion of 30 pictures or fewer.
  public func kept(most: Int = 0, portion: Double) throws(DataError) -> [Int] {
    guard most >= 0, (0...1).contains(portion) else {
      throw DataError(
        .invalidArgument, file: "filter", expected: "a number of pictures and a portion from 0 to 1",
        found: "\(most) and \(portion)")
    }
    let considered = most == 0 ? count : min(most, count)
    guard portion > 0 else { return Array(0..<considered) }
    let kept = picturesKept(byUncertainty: Array(uncertainties.prefix(considered)), portion: portion)
    guard !kept.isEmpty else {
      throw DataError(
        .invalidArgument, file: path, item: "portion \(portion)",
        expected: "a portion of more than 30 of \(considered) pictures, of which some stay",
        found: "\(Int(Double(considered) * portion)), which leaves no picture")
    }
    return kept
  }

  /// One picture.
  /// - Precondition: the number is below `count`.
  public func image(_ index: Int) -> Image {
    Image(width: width, height: height, pixels: bytes(of: pictures, at: index, size: 3 * width * height))
  }

  /// The labels of one picture.
  /// - Precondition: the number is below `count`.
  public func mask(_ index: Int) -> LabelMask {
    let size = width * height
    guard labels.elementType == .uint8 else {
      return LabelMask(
        width: width, height: height, wrapping: labels.int64s()[index * size..<(index + 1) * size])
    }
    return LabelMask(width: width, height: height, labels: bytes(of: labels, at: index, size: size))
  }

  private func bytes(of array: NumericArray, at index: Int, size: Int) -> [UInt8] {
    precondition(0..<count ~= index, "picture \(index) of \(count)")
    return array.withPackedBytes { Array($0[index * size..<(index + 1) * size]) }
  }
}

extension DeepLabV3 {
  /// A picture and its labels as the network is trained on them: the picture resampled bilinearly without aliasing,
  /// normalised as ImageNet is; of the labels the one at the upper left of each new pixel, as OpenCV's nearest has it.
  /// - Parameters:
  ///   - image: of any size
  ///   - mask: of the picture's size
  ///   - side: of the square that the network sees, in pixels
  /// - Returns: the picture `[3, side, side]` and `side · side` labels
  public static func item(
    _ image: Image, _ mask: LabelMask, side: Int
  ) -> (picture: Tensor, labels: [UInt8]) {
    precondition(
      image.width == mask.width && image.height == mask.height,
      "labels of \(mask.width) x \(mask.height) pixels for a picture of \(image.width) x \(image.height)")
    return (
      image.resized(width: side, height: side, filter: .bilinear).tensor(normalization: .imageNet),
      mask.resized(width: side, height: side).labels
    )
  }
}
