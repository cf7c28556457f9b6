/// The streams that follow from a user's seed, all in one place, so that no two pieces of work draw the same numbers.
///
/// Work on numbered items (members of an ensemble, pictures to sample, scenes, resampled data sets) splits the seed by the
/// number of the item; work on named files by the name. These are the others: the first belong to the training of
/// networks, which has no numbered items of its own, the last to that of segmenters, whose members count from 0.
package enum RandomStream: UInt64 {
  /// Initial weights of a network.
  case initialWeights = 1
  /// The order of pictures in the training of a network.
  case pictureOrder = 2
  /// The steps of the training of a network, each split by its number.
  case trainingSteps = 3
  /// Which part of a picture is shown, split by picture and by how many times it was shown before.
  case pictureParts = 4
  /// Which labelled pixels of pictures that are cut into tiles are trained on, split by copy and picture.
  case pixels = 0xFFFF_FFFF_FFFF_FFFC
  /// Which pictures a fold of a cross-validation leaves out.
  case folds = 0xFFFF_FFFF_FFFF_FFFD
  /// Principal components of features.
  case projection = 0xFFFF_FFFF_FFFF_FFFE
  /// Changed copies of labelled pictures, split by epoch, copy and picture.
  case copies = 0xFFFF_FFFF_FFFF_FFFF
}

extension Philox {
  /// The generator of a stream.
  package func split(_ stream: RandomStream) -> Philox { split(stream.rawValue) }
}
