import Foundation
import PixelClassifier

/// The figures of an experiment: presets compared on the same pictures with the same seeds. All shares are 0 ... 1.
public struct ExperimentReport: Codable, Sendable, Equatable {
  /// What was compared on what.
  public struct Setup: Codable, Sendable, Equatable {
    /// The pretrained models, the first of which is that of the lines below; nil in reports of version 0.1.0 and where
    /// nobody keeps a digest.
    public var backbones: [Backbone]?
    /// File name of the pretrained model.
    public var model: String
    /// Kind of the model; nil in reports of version 0.1.0.
    public var kind: String?
    /// The choice of its activations, by the keys of its option table; nil in reports of version 0.1.0.
    public var selection: [String: String]?
    /// Length of a pixel's vector.
    public var features: Int
    /// Side of the pictures that the model sees, in pixels.
    public var imageSize: Int
    public var trainingPictures: Int
    /// Folds of a cross-validation, whose only test set are the training pictures; nil without.
    public var folds: Int?
    public var seeds: [UInt64]
    /// `ledm` or `standard`.
    public var metric: String
    public var threads: Int
    public var version: String
  }

  /// A pretrained model and the choice of its activations.
  public struct Backbone: Codable, Sendable, Equatable {
    public var name: String
    /// File name of the checkpoint. Where models stand side by side in a vector, a + joins what each has.
    public var model: String
    public var kind: String
    public var checkpointSHA256: String
    /// What the weights do not tell, by the keys of its option table.
    public var options: [String: String]
    /// The choice of its activations, by the keys of its option table.
    public var selection: [String: String]
    /// Length of a pixel's vector.
    public var features: Int
    /// Side of the pictures that the model sees, in pixels. Labels are compared at this resolution.
    public var imageSize: Int
  }

  /// A class as it is shown.
  public struct ClassEntry: Codable, Sendable, Equatable {
    public var name: String
    /// `#rrggbb`
    public var color: String
    /// Whether the metric counts it.
    public var isScored: Bool
  }

  /// A set of test pictures.
  public struct TestSet: Codable, Sendable, Equatable {
    public var name: String
    public var pictures: Int
  }

  /// A number over the seeds.
  public struct Spread: Codable, Sendable, Equatable {
    /// One a seed.
    public var values: [Double]
    public var mean: Double
    /// Standard deviation with n - 1 degrees of freedom; 0 for one seed.
    public var deviation: Double

    public init(_ values: [Double]) {
      precondition(!values.isEmpty, "the spread of nothing")
      let mean = values.reduce(0, +) / Double(values.count)
      self.values = values
      self.mean = mean
      deviation =
        values.count < 2
        ? 0
        : (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
  }

  /// A preset on a set of test pictures.
  public struct Score: Codable, Sendable, Equatable {
    public var miou: Spread
    /// IoU of each class, mean over the seeds.
    public var classIoU: [Double]
    /// Difference to the first preset's mean IoU and its 95 % interval; nil for the first preset itself.
    public var difference: Interval?
    /// `[truth][prediction]`, counts of pixels that are not ignored, summed over the seeds.
    public var confusion: [[Int]]
    /// Time for features and labels of one picture.
    public var secondsAPicture: Double
  }

  /// An estimate with its interval.
  public struct Interval: Codable, Sendable, Equatable {
    public var estimate: Double
    public var low: Double
    public var high: Double
  }

  /// Mean IoU after an epoch, mean over some of the seeds, of the members as they vote on pictures as they are.
  public struct CurvePoint: Codable, Sendable, Equatable {
    /// From 1.
    public var epoch: Int
    /// On the training pictures.
    public var training: Double
    /// On each test set.
    public var test: [Double]

    package init(epoch: Int, training: Double, test: [Double]) {
      (self.epoch, self.training, self.test) = (epoch, training, test)
    }
  }

  /// A line: a preset, with one of several models, and how it did.
  public struct Preset: Codable, Sendable, Equatable {
    /// The preset's name; of several models the model's name, or both: `mae / init`.
    public var id: String
    /// Name of the model, where there are several.
    public var backbone: String?
    public var summary: String
    /// Its cells in the table of presets (`SegmenterPreset.columns`).
    public var settings: [String]
    /// Time of a training, changed copies' features included, those of the pictures themselves not.
    public var trainingSeconds: Double
    /// Most memory of the process during a training, with what earlier ones left to it; nil where the system does not
    /// tell.
    public var peakBytes: Int?
    /// One a test set.
    public var scores: [Score]
    public var curve: [CurvePoint]
    /// Seeds behind the curve; 0 when there is none.
    public var curveSeeds: Int
  }

  public var setup: Setup
  public var classes: [ClassEntry]
  public var testSets: [TestSet]
  /// The first is what the others are compared with.
  public var presets: [Preset]
  /// Time of everything.
  public var seconds: Double
}
