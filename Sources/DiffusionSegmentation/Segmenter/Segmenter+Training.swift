import Augment
import Base
import Features
import Images
import PixelClassifier
import TensorCore

extension Segmenter {
  /// Called now and then, never twice at once, from any thread. What it throws ends the work.
  public typealias ProgressHandler = @Sendable (SegmenterProgress) throws(DataError) -> Void

  /// Trains an ensemble on labelled pictures.
  ///
  /// The same pictures, options and features give the same segmenter, to the bit, with any number of threads.
  /// - Parameters:
  ///   - labelled: the pictures and their masks
  ///   - features: the model and its activations that are a pixel's vector
  ///   - options: how it is trained; the defaults are those of the reference
  ///   - prediction: how labels come from what the members say; kept in the segmenter and without effect on training
  ///   - notices: told of classes without labels, and of labels that are lost at the network's resolution
  ///   - progress: called now and then, never twice at once, from any thread; what it throws ends the work
  ///   - afterEpoch: called with the segmenter as it stands after each epoch; members that stopped early stay as they
  ///     are
  /// - Throws: `DataError` when a picture or mask cannot be used, there are too few labelled pixels, or the features do
  ///   not fit the model; of kind `.cancelled` when the task was cancelled.
  public static func train(
    on labelled: LabelledImages, features: any PixelFeatures, options: SegmenterOptions = .init(),
    prediction: PredictionSettings = .init(), notices: Notices = Notices(),
    progress: @escaping ProgressHandler = { _ in },
    afterEpoch: ((_ epoch: Int, _ segmenter: Segmenter) throws(DataError) -> Void)? = nil
  ) throws(DataError) -> Segmenter {
    try features.validate()
    try options.augmentation?.validate()
    try TrainingFeatures.checkMemory(
      of: labelled, features: features, precision: options.featurePrecision,
      augmentation: options.augmentation,
      pixelsPerPicture: options.fit.tiling == nil ? nil : options.pixelsPerPicture)
    return try train(
      using: TrainingFeatures(labelled: labelled, features: features, options: options), options: options,
      prediction: prediction, notices: notices, progress: progress, afterEpoch: afterEpoch)
  }

  /// The same on features that other trainings may have asked for before.
  /// - Parameter pictures: which of the pictures to train on; nil for all
  package static func train(
    using source: TrainingFeatures, pictures chosen: [Int]? = nil, options: SegmenterOptions,
    prediction: PredictionSettings, notices: Notices = Notices(),
    progress: @escaping ProgressHandler = { _ in },
    afterEpoch: ((_ epoch: Int, _ segmenter: Segmenter) throws(DataError) -> Void)? = nil
  ) throws(DataError) -> Segmenter {
    try options.augmentation?.validate()
    // Of the checkpoint as it is now; a training takes long.
    for model in source.features.models { try model.origin.takeDigest() }
    let labelled = source.labelled
    let count = labelled.count * (options.augmentation?.factor ?? 1)
    let chosen = chosen ?? Array(0..<labelled.count)
    let originals = try source.originals { (done) throws(DataError) in
      try progress(.features(done: done, of: count))
    }
    source.census.report(
      to: notices, source: labelled.directory, imageSize: source.features.input.size)
    var projection: FeatureProjection?
    func segmenter(_ ensemble: PixelEnsemble) throws(DataError) -> Segmenter {
      try Segmenter(
        ensemble: ensemble.absorbing(projection), classes: labelled.classes, features: source.features,
        featurePrecision: options.featurePrecision, fit: options.fit, maskResampling: options.maskResampling,
        reading: labelled.reading, prediction: prediction, training: options, census: source.census)
    }
    var current: PixelDataset?
    func dataset(_ epoch: Int) throws(DataError) -> PixelDataset {
      if let current, options.augmentation?.isRedrawn != true { return current }
      current = nil
      var pictures = chosen.map { originals[$0] }
      if let augmentation = options.augmentation {
        let copies = try source.copies(augmentation, seed: options.seed, epoch: epoch) {
          (done) throws(DataError) in
          if epoch == 0 { try progress(.features(done: labelled.count + done, of: count)) }
        }
        for first in stride(from: 0, to: copies.count, by: labelled.count) {
          pictures += chosen.map { copies[first + $0] }
        }
      }
      var dataset = try options.dataset(pictures, classes: labelled.classes)
      // Members of all epochs see vectors of the same kind.
      if projection == nil { projection = try options.projection(of: dataset) }
      if let projection { dataset = dataset.projected(by: projection) }
      current = dataset
      return dataset
    }
    let iterations = try options.augmentation.map { (_) throws(DataError) in
      try source.iterationsPerEpoch(batchSize: options.batchSize, pictures: chosen)
    }
    let ensemble = try options.trainer(iterationsPerEpoch: iterations).trainEnsemble(
      memberCount: options.members, random: Philox(seed: options.seed),
      afterEpoch: { (epoch, ensemble) throws(DataError) in try afterEpoch?(epoch, segmenter(ensemble)) },
      progress: { (step) throws(DataError) in try progress(.training(step, members: options.members)) },
      dataset: dataset)
    return try segmenter(ensemble)
  }

  /// Features and labels of one picture as the network sees it. Padding is labelled to be ignored.
  package static func labelledFeatures(
    of item: LabelledImage, features: any PixelFeatures, precision: FeaturePrecision = .float, fit: ImageFit,
    maskResampling: MaskResampling = .nearest, classes: ClassList
  ) throws(DataError) -> LabelledFeatures {
    let geometry = try features.geometry(for: item.image, fit: fit, precision: precision, name: item.path)
    return LabelledFeatures(
      name: item.path,
      features: try features.extract(item.image, by: geometry, precision: precision, name: item.path),
      labels: geometry.apply(item.mask, ignoreLabel: classes.ignoreLabel, by: maskResampling).labels)
  }
}
