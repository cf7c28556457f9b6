import Augment
import DiffusionCore
import PixelClassifier
import TensorCore

extension Segmenter {
  /// Trains an ensemble on labelled pictures.
  ///
  /// The same pictures, options and features give the same segmenter, to the bit, with any number of threads.
  /// - Parameters:
  ///   - progress: called now and then, never twice at once, from any thread
  ///   - afterEpoch: called with the segmenter as it stands after each epoch; members that stopped early stay as they
  ///     are
  /// - Throws: `DataError` when a picture or mask cannot be used, there are too few labelled pixels, or steps
  ///   and blocks do not fit the model.
  public static func train(
    on labelled: LabelledImages, features: DiffusionFeatures, options: SegmenterOptions = .init(),
    prediction: PredictionSettings = .init(),
    progress: @escaping @Sendable (SegmenterProgress) -> Void = { _ in },
    afterEpoch: ((_ epoch: Int, _ segmenter: Segmenter) throws(DataError) -> Void)? = nil
  ) throws(DataError) -> Segmenter {
    try features.validate()
    try options.growth?.validate()
    let source = TrainingFeatures(labelled: labelled, features: features, options: options)
    let count = labelled.count * (options.growth?.factor ?? 1)
    let originals = try source.originals { progress(.features(done: $0, of: count)) }
    func segmenter(_ ensemble: PixelEnsemble) throws(DataError) -> Segmenter {
      try Segmenter(
        ensemble: ensemble, classes: labelled.classes, features: features, fit: options.fit,
        prediction: prediction,
        training: options)
    }
    let random = Philox(seed: options.seed)
    var current: PixelDataset?
    func dataset(_ epoch: Int) throws(DataError) -> PixelDataset {
      if let current, options.growth?.isRedrawn != true { return current }
      var pictures = originals
      if let growth = options.growth {
        // The old copies' memory is for the new ones.
        current = nil
        // The members draw from the first indices of the generator.
        let own = random.split(.max).split(growth.isRedrawn ? UInt64(epoch) : 0)
        pictures += try source.copies(growth, random: own) {
          if epoch == 0 { progress(.features(done: labelled.count + $0, of: count)) }
        }
      }
      let dataset = try options.dataset(pictures, classes: labelled.classes)
      current = dataset
      return dataset
    }
    let iterations = try options.growth.map { (_) throws(DataError) in try source.iterationsPerEpoch() }
    let ensemble = try options.trainer(iterationsPerEpoch: iterations).trainEnsemble(
      memberCount: options.members, random: random,
      afterEpoch: { (epoch, ensemble) throws(DataError) in try afterEpoch?(epoch, segmenter(ensemble)) },
      progress: { progress(.training($0, members: options.members)) }, dataset: dataset)
    return try segmenter(ensemble)
  }

  /// Features and labels of one picture as the network sees it. Padding is labelled to be ignored.
  package static func labelledFeatures(
    of item: LabelledImage, index: Int, features: DiffusionFeatures, fit: ImageFit, classes: ClassList
  ) throws(DataError) -> LabelledFeatures {
    let geometry = try features.geometry(for: item.image, fit: fit, name: item.path)
    return LabelledFeatures(
      name: item.path,
      features: try features.extract(geometry.apply(item.image).tensor(normalization: .ddpm), index: index),
      labels: geometry.apply(item.mask, ignoreLabel: classes.ignoreLabel).labels)
  }
}
