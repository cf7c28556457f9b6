import TensorCore
import Testing

@Suite("Transpose")
struct TransposeTests {
  @Test("rows become columns", arguments: [[1, 1], [1, 50], [50, 1], [16, 16], [17, 33], [100, 300]])
  func elements(shape: [Int]) {
    let x = Tensor((0..<shape[0] * shape[1]).map(Float.init), shape: shape)
    let y = transposed(x)
    #expect(y.shape == [shape[1], shape[0]])
    for row in 0..<shape[0] {
      for column in 0..<shape[1] where y[column, row] != x[row, column] {
        Issue.record("\(row), \(column): \(y[column, row]) instead of \(x[row, column])")
        return
      }
    }
  }

  @Test("an empty matrix has an empty transpose")
  func empty() {
    #expect(transposed(Tensor(zeros: [0, 3])).shape == [3, 0])
    #expect(transposed(Tensor(zeros: [3, 0])).shape == [0, 3])
  }
}
