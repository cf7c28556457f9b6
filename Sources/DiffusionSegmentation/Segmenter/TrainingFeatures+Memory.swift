import Base
import Features

extension TrainingFeatures {
  /// Checks before the work that the features of all pictures and their copies fit into memory, were every picture
  /// square.
  /// - Parameter weights: bytes of models beside them
  /// - Throws: `DataError` of kind `.unsupported` with the figures.
  package static func checkMemory(
    of labelled: LabelledImages, features: any PixelFeatures, precision: FeaturePrecision,
    augmentation: AugmentationSchedule?, weights: Double = 0
  ) throws(DataError) {
    let side = features.input.size
    let pictures = Double(labelled.count) * Double(augmentation?.factor ?? 1)
    let advice = precision == .half ? "" : " (--feature-storage half takes half of it)"
    let models = weights > 0 ? ", and of the weights of all models" : ""
    try AvailableMemory.require(
      pictures * features.mapBytes(height: side, width: side, precision: precision) + weights,
      file: labelled.directory,
      item: "memory of the features of \(Int(pictures)) pictures, copies included\(models)\(advice)")
  }
}
