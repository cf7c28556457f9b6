import Annotations
import ArgumentParser
import Base
import DiffusionSegmentation
import Foundation

/// How probabilities are written.
enum ProbabilityFormat: String, CaseIterable, ExpressibleByArgument {
  case tif, png
}

/// What is written for a picture.
struct PredictionOutputs: ParsableArguments {
  @Option(
    help: "Labels to write: npy, png, coco, labelme, geojson; may be given several times. (default: npy, png)"
  )
  var format: [LabelFormat] = []
  @Option(
    help: """
      Write the probability of every class too, in 16 bits with 65535 for 1: tif, one file with a page for each class, or \
      png, a file for each class.
      """)
  var probabilities: ProbabilityFormat?

  /// Forms of the labels.
  var formats: Set<LabelFormat> { format.isEmpty ? [.npy, .png] : Set(format) }

  /// - Throws: `DataError` for a form that is no file or files in a folder.
  func check() throws(DataError) {
    guard !format.contains(.voc) else {
      throw DataError(
        .invalidArgument, file: "--format", expected: "npy, png, coco, labelme or geojson",
        found: "voc, a folder (dseg dataset convert)")
    }
  }

  /// Files of a picture, those of the labels first.
  /// - Parameter stem: path without the ending
  func names(stem: String, classes: Int) -> [String] {
    labelNames(stem: stem) + ["\(stem).overlay.png", "\(stem).uncertainty.png"]
      + probabilityNames(stem: stem, classes: classes)
  }

  /// Files of a picture that is written as a large one, see `LargePrediction`.
  /// - Parameter inForms: whether labels are written in the forms that were asked for, of which some pictures are too large
  func largeNames(stem: String, inForms: Bool = true) -> [String] {
    ["\(stem).tif", "\(stem).overlay.png", "\(stem).uncertainty.tif"]
      + (format.isEmpty || !inForms ? [] : labelNames(stem: stem))
      + (probabilities == nil ? [] : [Self.probabilityStack(stem)])
  }

  private func labelNames(stem: String) -> [String] {
    let endings: [(LabelFormat, String)] = [
      (.npy, "npy"), (.png, "png"), (.labelme, "json"), (.geojson, "geojson"),
    ]
    return endings.filter { formats.contains($0.0) }.map { "\(stem).\($0.1)" }
  }

  private func probabilityNames(stem: String, classes: Int) -> [String] {
    switch probabilities {
    case .tif: [Self.probabilityStack(stem)]
    case .png: (0..<classes).map { "\(stem).probability\($0).png" }
    case nil: []
    }
  }

  static func probabilityStack(_ stem: String) -> String { "\(stem).probabilities.tif" }

  /// The COCO file of all pictures of a folder.
  static func annotations(in folder: String) -> String {
    (folder as NSString).appendingPathComponent("annotations.json")
  }
}
