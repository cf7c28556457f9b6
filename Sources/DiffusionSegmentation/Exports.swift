@_exported import Augment
@_exported import Checkpoints
@_exported import DiffusionCore
@_exported import Images
@_exported import PixelClassifier
@_exported import TensorCore
