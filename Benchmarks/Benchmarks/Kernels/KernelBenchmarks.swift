import Benchmark
import DiffusionSegmentation
import TensorCore
import Workloads

nonisolated(unsafe) let benchmarks = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock], warmupIterations: 2, maxDuration: .seconds(2), maxIterations: 200)

  for size in [256, 1024, 2048] {
    measure("GEMM \(size)×\(size)×\(size)") { MatrixProduct(m: size, n: size, k: size).callAsFunction }
  }
  for convolution in KernelWorkloads.Convolution.ofNetwork {
    measure("3×3 convolution, \(convolution)") { convolution.prepare() }
  }
  measure("Group norm and SiLU, 256 channels, 256×256") {
    KernelWorkloads.groupNormalisation(channels: 256, side: 256)
  }
  measure("Attention, 512 channels in heads of 64, 32×32") {
    KernelWorkloads.attention(channels: 512, headChannels: 64, side: 32)
  }
  measure("Bilinear upsampling, 512 channels, 64×64 to 256×256") {
    KernelWorkloads.bilinear(channels: 512, side: 64, target: 256)
  }
}

/// Registers a kernel. Its tensors are made once, before anything is timed.
private func measure(_ name: String, prepare: @escaping () -> () -> Tensor) {
  Benchmark(
    name,
    closure: { benchmark, kernel in
      for _ in benchmark.scaledIterations { blackHole(kernel()) }
    }, setup: prepare)
}
