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
extension ImageFit: @retroactive ExpressibleByArgument {
  public init?(argument: String) {
    guard let fit = try? ImageFit(argument) else { return nil }
    self = fit
  }

  public static var allValueStrings: [String] { ["pad", "crop", "tile"] }
}
extension IoUDefinition: @retroactive ExpressibleByArgument {}
extension LabelFormat: @retroactive ExpressibleByArgument {}
extension MaskResampling: @retroactive ExpressibleByArgument {}
extension NoiseSchedule: @retroactive ExpressibleByArgument {}
extension TimestepSampling: @retroactive ExpressibleByArgument {}

extension SampleRange: @retroactive ExpressibleByArgument {
  public init?(argument: String) {
    guard let range = try? SampleRange(argument) else { return nil }
    self = range
  }
}
