import Base
import DiffusionCore
import TensorCore
import Testing

struct GaussianDiffusionTests {
  @Test(arguments: ["", "ddim", "ddim0", "ddim-3", "a", "1,,2", "5,x", "-1", "0", "1001", "ddim1001", " 5"])
  func badRespacingIsRefused(_ notation: String) {
    let error = #expect(throws: DataError.self) { try TimestepRespacing(notation, steps: 1000) }
    #expect(error?.kind == .invalidArgument)
  }

  @Test func respacedProcessPassesThroughTheSameNoiseLevels() throws {
    let whole = GaussianDiffusion(steps: 1000)
    let short = GaussianDiffusion(steps: 1000, respacing: try TimestepRespacing("ddim50", steps: 1000))
    for (index, step) in short.timestepMap.enumerated() {
      #expect(abs(short.alphasCumprod[index] - whole.alphasCumprod[step]) < 1e-12)
    }
  }

  @Test func networkSeesOriginalTime() throws {
    let respacing = try TimestepRespacing("10", steps: 500)
    let plain = GaussianDiffusion(steps: 500, respacing: respacing)
    #expect(plain.modelTimesteps([0, 9]) == [0, 499])
    let scaled = GaussianDiffusion(steps: 500, respacing: respacing, rescaleTimesteps: true)
    #expect(scaled.modelTimesteps([0, 9]) == [0, 998])
  }

  @Test func predictionOfTheTrueNoiseRecoversThePicture() {
    var random = Philox(seed: 1)
    let (x, noise) = (random.normal(shape: [2, 3, 4, 4]), random.normal(shape: [2, 3, 4, 4]))
    let diffusion = GaussianDiffusion(varianceType: .fixedLarge)
    let t = [20, 400]
    let noised = diffusion.qSample(xStart: x, t: t, noise: noise)
    let moments = diffusion.pMeanVariance(modelOutput: noise, xT: noised, t: t, clipDenoised: false)
    for (a, b) in zip(moments.predXStart.elements, x.elements) { #expect(abs(a - b) < 1e-4) }
    let again = diffusion.epsilonFromXStart(xT: noised, t: t, xStart: x)
    for (a, b) in zip(again.elements, noise.elements) { #expect(abs(a - b) < 1e-4) }
  }

  @Test func oneStepProcessHasFiniteTables() {
    let diffusion = GaussianDiffusion(schedule: .cosine, steps: 1)
    #expect(diffusion.betas.count == 1 && diffusion.alphasCumprodNext == [0])
  }
}
