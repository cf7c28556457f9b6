// swift-format-ignore-file: AvoidRetroactiveConformances
// The libraries know nothing of command lines.

import ArgumentParser
import Augment
import DiffusionCore
import DiffusionSegmentation
import Features
import Images
import PixelClassifier

extension AugmentationPreset: @retroactive ExpressibleByArgument {}
extension DiffusionLoss: @retroactive ExpressibleByArgument {}
extension FeaturePrecision: @retroactive ExpressibleByArgument {}
extension ImageFit: @retroactive ExpressibleByArgument {}
extension IoUDefinition: @retroactive ExpressibleByArgument {}
extension LabelFormat: @retroactive ExpressibleByArgument {}
extension MaskResampling: @retroactive ExpressibleByArgument {}
extension NoiseSchedule: @retroactive ExpressibleByArgument {}
extension TimestepSampling: @retroactive ExpressibleByArgument {}
