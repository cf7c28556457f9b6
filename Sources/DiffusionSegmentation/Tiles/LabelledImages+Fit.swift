import Augment
import Base
import Features
import Images

extension LabelledImages {
  /// How these pictures are best brought to models: cut into tiles where all have sides of more than twice the models',
  /// since shrunken they would lose what is smaller than the factor; as a whole otherwise. Only headers are read.
  ///
  /// On micrographs of 512 pixels and a model of 64 the mean IoU is 44 % for whole pictures and 81 % for tiles.
  /// - Parameters:
  ///   - inputs: what the models take
  ///   - notices: told when it is tiles, which is a guess about what matters in a picture
  public func suggestedFit(for inputs: [InputSpecification], notices: Notices = Notices()) -> ImageFit {
    let largest = inputs.map(\.size).max() ?? 0
    var smallest = Int.max
    for picture in pictures {
      // What is wrong with a file is told when it is read.
      guard
        let size = try? Image.size(
          ofFile: picture.path, page: picture.page ?? 0, orientation: reading.orientation)
      else { return .pad }
      smallest = min(smallest, size.width, size.height)
      guard smallest > 2 * largest else { return .pad }
    }
    notices.add(
      .guessed, file: directory, item: "fit",
      "pictures with sides of at least \(smallest) pixels are cut into tiles of the model's \(largest); --scale 0.5 shows it "
        + "twice as much at a time, --fit pad all of a picture")
    return .tile(Tiling())
  }

  /// The scale at which pictures are best cut into tiles: that of the squares that a model was trained on.
  /// - Parameters:
  ///   - training: the scale of those squares; nil where it is not known
  ///   - notices: told of the scale, which is a guess
  /// - Returns: nil where it is not known or the usual one, or pictures do not tell what it depends on
  public func suggestedScale(
    training: Tiling.Scale?, notices: Notices = Notices()
  ) -> Tiling.Scale? {
    guard let training, training != .factor(1) else { return nil }
    let text: String
    switch training {
    case .factor(let factor): text = "\(factor) times their size"
    case .pixelSize(let size):
      // What is wrong with a file is told when it is read.
      let tell = pictures.allSatisfy {
        ((try? Image.pixelSize(ofFile: $0.path, page: $0.page ?? 0)) ?? nil) != nil
      }
      guard tell else { return nil }
      text = "\(size) µm a pixel"
    }
    notices.add(
      .guessed, file: directory, item: "scale",
      "tiles are cut at \(text), as the squares were that the model was trained on; --scale changes that")
    return training
  }
}
