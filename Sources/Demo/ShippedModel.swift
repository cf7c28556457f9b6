import Base
import DiffusionSegmentation
import Foundation

/// The diffusion model that comes with the package: 6.3 million parameters, trained on 64-pixel `SyntheticScenes`
/// and kept in half precision. docs/demo.md tells how it was made.
public enum ShippedModel {
  /// Seed of the scenes that it was trained on. Scenes of other seeds are new to it.
  public static let sceneSeed: UInt64 = 2

  /// Steps whose features tell the parts apart best, and the decoder blocks, chosen on scenes of a seed of their own.
  public static let steps = [10, 50, 100]
  public static let blocks = [3, 4, 5, 6, 7, 8, 9, 10, 11]

  /// Its file, a `.safetensors` checkpoint.
  ///
  /// It lies in the package's resources, a folder beside the program or where that was built.
  /// - Throws: `DataError` when it is in neither place, as after copying the program alone.
  public static func path() throws(DataError) -> String {
    let manager = FileManager.default
    let home = Bundle.main.bundleURL.path
    let isBeside = ((try? manager.contentsOfDirectory(atPath: home)) ?? [])
      .contains { $0.hasPrefix("DiffusionSegmentation_Demo.") }
    // `Bundle.module` ends the program when there is nothing; whether there is cannot be asked. A program that runs
    // where it was built has its sources at hand.
    guard isBeside || manager.fileExists(atPath: #filePath),
      let path = Bundle.module.path(forResource: "scenes", ofType: "safetensors")
    else {
      throw DataError(
        .noInput, file: home, item: "DiffusionSegmentation_Demo.resources",
        expected: "the folder with the demo's model beside the program", found: "none")
    }
    return path
  }
}
