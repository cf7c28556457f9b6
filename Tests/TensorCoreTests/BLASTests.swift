import Foundation
import TensorCore
import Testing

/// The set-up of OpenBLAS happens once a process, so each case has a process of its own.
struct BLASTests {
  /// A process that opts out keeps the kernels and threads that OpenBLAS started with, also after a product.
  @Test func optingOutChangesNothing() async {
    await #expect(processExitsWith: .success) {
      let before = BLAS.untouchedState
      BLAS.configure(.leaveAlone)
      _ = linear(Tensor(zeros: [70, 90]), weight: Tensor(zeros: [80, 90]))
      let after = BLAS.State(coreName: BLAS.coreName, threadCount: BLAS.threadCount)
      guard after == before else { preconditionFailure("\(before) became \(after)") }
    }
  }

  /// Whoever does nothing gets kernels as wide as the processor's registers, and one thread a call.
  @Test func kernelsAreChosenByDefault() async {
    await #expect(processExitsWith: .success) {
      guard BLAS.threadCount == 1 else { preconditionFailure("\(BLAS.threadCount) threads") }
      let isFree = getenv("OPENBLAS_CORETYPE") == nil
      if isFree && BLAS.processorHasAVX512 && !BLAS.coresWithAVX512.contains(BLAS.coreName) {
        preconditionFailure("\(BLAS.coreName) on a processor with AVX-512")
      }
    }
  }

  @Test func switchedKernelsStayRight() async {
    await #expect(processExitsWith: .success) {
      let start = BLAS.untouchedState.coreName
      _ = BLAS.threadCount
      for core in ["Nehalem", "Haswell", start] where BLAS.switchCore(to: core) {
        let y = linear(Tensor(repeating: 2, shape: [33, 65]), weight: Tensor(repeating: 3, shape: [47, 65]))
        guard y.elements.allSatisfy({ $0 == 390 }), BLAS.coreName == core else {
          preconditionFailure("\(core): \(BLAS.coreName), \(y)")
        }
      }
    }
  }

  @Test func configuringAfterTheFirstUseIsAMistake() async {
    await #expect(processExitsWith: .failure) {
      _ = BLAS.coreName
      BLAS.configure(.leaveAlone)
    }
  }
}
