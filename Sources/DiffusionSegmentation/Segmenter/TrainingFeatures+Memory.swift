import Base
import Features

extension TrainingFeatures {
  /// Checks before the work that the features of all pictures and their copies fit into memory, were every picture
  /// square.
  /// - Parameters:
  ///   - pixelsPerPicture: most pixels of a picture that is cut into tiles; nil for pictures that are not
  ///   - weights: bytes of models beside them
  /// - Throws: `DataError` of kind `.unsupported` with the figures.
  package static func checkMemory(
    of labelled: LabelledImages, features: any PixelFeatures, precision: FeaturePrecision,
    augmentation: AugmentationSchedule?, pixelsPerPicture: Int? = nil, weights: Double = 0
  ) throws(DataError) {
    let side = features.input.size
    let pictures = Double(labelled.count) * Double(augmentation?.factor ?? 1)
    let advice = precision == .half ? "" : " (--feature-storage half takes half of it)"
    let models = weights > 0 ? ", and of the weights of all models" : ""
    let ofPicture =
      pixelsPerPicture.map { Double($0) * Double(features.channels) * (precision == .half ? 2 : 4) }
      ?? features.mapBytes(height: side, width: side, precision: precision)
    try AvailableMemory.require(
      pictures * ofPicture + weights,
      file: labelled.directory,
      item: "memory of the features of \(Int(pictures)) pictures, copies included\(models)\(advice)")
  }
}
