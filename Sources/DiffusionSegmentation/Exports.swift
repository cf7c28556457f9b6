import Augment
import Backbones
import Base
import Checkpoints
import Features
import Images
import PixelClassifier
import TensorCore

// What the signatures of this module are made of, so that one import is enough to train, predict and evaluate.
@_exported import enum Augment.AugmentationPreset
@_exported import struct Augment.ClassPairs
@_exported import struct Augment.FittedGeometry
@_exported import enum Augment.ImageFit
@_exported import enum Augment.PictureCrop
@_exported import enum Augment.PostProcessing
@_exported import enum Augment.TestTimeSet
@_exported import struct Augment.Tiling
@_exported import struct Backbones.BackboneRegistry
@_exported import enum Base.Cancellation
@_exported import struct Base.DataError
@_exported import enum Base.MemoryBudget
@_exported import struct Base.Notice
@_exported import class Base.Notices
@_exported import struct Checkpoints.Checkpoint
@_exported import enum Checkpoints.WeightsChoice
@_exported import struct Features.CombinedFeatures
@_exported import enum Features.FeaturePrecision
@_exported import protocol Features.ModelFeatures
@_exported import protocol Features.PixelFeatures
@_exported import struct Images.Image
@_exported import class Images.InexactColors
@_exported import struct Images.LabelMask
@_exported import enum Images.MaskResampling
@_exported import enum Images.OrientationHandling
@_exported import struct Images.Palette
@_exported import struct Images.PictureReading
@_exported import struct Images.PixelSize
@_exported import struct Images.RGB
@_exported import enum Images.SampleRange
@_exported import struct PixelClassifier.ConfusionMatrix
@_exported import enum PixelClassifier.FeaturePreparation
@_exported import enum PixelClassifier.IoUDefinition
@_exported import enum PixelClassifier.LearningRateSchedule
@_exported import struct PixelClassifier.PixelEnsemble
@_exported import struct PixelClassifier.TrainingProgress
@_exported import struct TensorCore.Adam
@_exported import struct TensorCore.Tensor
@_exported import enum TensorCore.Threads
