import Base
import Images
import TensorCore

/// Pictures with some patches removed, and as a masked autoencoder paints them.
public struct MAESheet: Sendable {
  private let network: MaskedAutoencoder
  private let maskRatio: Double
  private let normalizesPatches: Bool
  private let normalization: Normalization
  private var sheet: ContactSheet

  /// - Parameters:
  ///   - network: with a decoder
  ///   - maskRatio: share of the patches that are removed
  ///   - normalizesPatches: whether the decoder paints patches less their mean and over their deviation, so that both are
  ///     taken from the picture itself
  ///   - normalization: how the network's pictures are normalised
  ///   - columns: pictures in a row, each with two others beside it
  /// - Precondition: the network has a decoder.
  public init(
    _ network: MaskedAutoencoder, maskRatio: Double = 0.75, normalizesPatches: Bool = true,
    normalization: Normalization = .imageNet, columns: Int = 1
  ) {
    precondition(network.configuration.decoder != nil, "a sheet of a network without a decoder")
    self.network = network
    self.maskRatio = maskRatio
    self.normalizesPatches = normalizesPatches
    self.normalization = normalization
    let zoom = max(1, 128 / max(1, network.configuration.imageSize))
    sheet = ContactSheet(
      columns: 3 * columns, columnTitles: (0..<columns).flatMap { _ in ["picture", "seen", "painted"] },
      margin: 4, zoom: zoom)
  }

  /// Adds a picture, what the network sees of it, and what it makes of that.
  /// - Parameters:
  ///   - image: a square of the size that the network was trained on
  ///   - random: draws the patches that are removed
  public mutating func append(_ image: Image, random: Philox) {
    let patchSize = network.configuration.patchSize
    let (rows, columns) = (image.height / patchSize, image.width / patchSize)
    var random = random
    let noise = (0..<rows * columns).map { _ in random.uniform() }
    let mask = TokenMask(noise: noise, ratio: maskRatio)
    let picture = image.tensor(normalization: normalization)
    let x = picture.reshaped([1] + picture.shape).channelsLast
    let painted = network.paint(x, masks: [mask], normalizesPatches: normalizesPatches)
    var seen = image
    let patch = Image(width: patchSize, height: patchSize, color: .white)
    for (index, isRemoved) in mask.removed.enumerated() where isRemoved == 1 {
      seen.paste(patch, x: index % columns * patchSize, y: index / columns * patchSize)
    }
    sheet.append(image)
    sheet.append(seen)
    sheet.append(Image(tensor: painted.channelsFirst.slice(0), normalization: normalization))
  }

  /// - Throws: `DataError` for a sheet without pictures, or one that would be too large.
  public func image() throws(DataError) -> Image { try sheet.image() }
}

extension MaskedAutoencoder {
  /// Pictures whose removed patches the network has painted; the others are as they were.
  /// - Parameters:
  ///   - pictures: `[N, H, W, C]`, of the size that the network was trained on
  ///   - masks: one a picture, all with as many patches
  ///   - normalizesPatches: whether the decoder paints patches less their mean and over their deviation, so that both are
  ///     taken from the picture itself
  /// - Returns: `[N, H, W, C]`
  /// - Precondition: the network has a decoder.
  public func paint(_ pictures: Tensor, masks: [TokenMask], normalizesPatches: Bool) -> Tensor {
    let painted = decode(encode(pictures, masks: masks), masks: masks).withoutFirstToken
    var patches = MAELoss.patchify(pictures, patchSize: configuration.patchSize)
    let (tokens, width) = (patches.shape[1], patches.shape[2])
    let removed = masks.flatMap(\.removed)
    patches.withMutablePointer { patches in
      withPointers(painted) { painted in
        parallelFor(removed.count) { token in
          guard removed[token] == 1 else { return }
          let (from, to) = (painted + token * width, patches + token * width)
          let (mean, deviation) =
            normalizesPatches ? MAELoss.moments(UnsafePointer(to), count: width) : (0, 1)
          for i in 0..<width { to[i] = Float(mean + deviation * Double(from[i])) }
        }
      }
    }
    precondition(
      removed.count == masks.count * tokens, "\(removed.count) patches of \(masks.count) × \(tokens)")
    return MAELoss.unpatchify(
      patches, patchSize: configuration.patchSize, height: pictures.shape[1], width: pictures.shape[2])
  }
}
