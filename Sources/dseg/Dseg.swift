import ArgumentParser
import Base
import DiffusionSegmentation
import Foundation
import TensorCore

@main
struct Dseg: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dseg",
    abstract: "Segment pictures from a few labelled ones, with the features of a diffusion model.",
    discussion: """
      A picture is noised and shown to a pretrained DDPM; the activations of its U-Net make a vector for every \
      pixel, and an ensemble of small classifiers learns labels from a few labelled pictures.

      Example:
        dseg train --checkpoint lsun_horse.pt --images horse_21/train --classes 21 --output horses.safetensors
        dseg predict --segmenter horses.safetensors --output masks photos/

      Exit codes: 0 done, 64 wrong usage, 65 damaged or unsuitable data (also: more than the memory holds), \
      66 no such input, 70 a training diverged, 71 out of memory in the middle of the work, 73 and 74 cannot write, \
      130 and 143 interrupted.
      """,
    version: "dseg \(Version.current)",
    subcommands: [
      Inspect.self, Features.self, Train.self, Predict.self, Evaluate.self, Pretrain.self, Sample.self,
      Scenes.self, Convert.self, DatasetCommand.self, Measure.self, AugmentCommand.self,
      ExperimentCommand.self,
      DemoCommand.self,
    ])

  static func main() {
    Allocation.onFailure { _, message in
      Terminal.message("error: \(message)")
      // Other threads are at work: nothing of theirs may be taken down under them.
      _exit(71)
    }
    CutShortFiles.watch()
    do {
      var command = try parseAsRoot()
      try command.run()
      Notices.finish()
    } catch let error as DataError {
      Notices.finish()
      Terminal.message("error: \(error)")
      Foundation.exit(error.exitCode)
    } catch let stopped as Interruption.Stopped {
      Notices.finish()
      Terminal.message(stopped.message)
      Foundation.exit(stopped.exitCode)
    } catch {
      exit(withError: error)
    }
  }
}
