import TensorCore
import Foundation
print(BLAS.coreName, BLAS.threadCount)
for n in [64, 256, 1000, 2048] {
var g = Philox(seed: 1)
let a = g.normal(shape: [n,n]), b = g.normal(shape: [n,n])
var c = Tensor(zeros: [n,n])
for _ in 0..<4 {
let t = Date()
a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { b in c.withUnsafeMutableBufferPointer { c in
 GEMM.parallelMultiply(Matrix(a.baseAddress!, rows: n, columns: n), Matrix(b.baseAddress!, rows: n, columns: n), into: MutableMatrix(c.baseAddress!, rows: n, columns: n)) } } }
let s = Date().timeIntervalSince(t)
print(n, 2*Double(n*n*n)/s/1e9, "GFLOP/s")
}
var e = 0.0
for i in stride(from: 0, to: n, by: 7) { for j in stride(from: 0, to: n, by: 13) { var s = 0.0; for k in 0..<n { s += Double(a[i,k])*Double(b[k,j]) }; e = max(e, abs(s - Double(c[i,j]))) } }
print("err", e)
}
