import TensorCore
import Foundation
print(BLAS.coreName, BLAS.threadCount, Threads.count)
func time(_ name: String, flops: Double = 0, _ body: () -> Void) {
  body(); var ts = [Double]()
  for _ in 0..<5 { let t = Date(); body(); ts.append(Date().timeIntervalSince(t)) }
  ts.sort(); print(name, String(format: "%.2f ms  %.0f GFLOP/s", ts[2]*1e3, flops/ts[2]/1e9))
}
var g = Philox(seed: 1)
for (c, o, h) in [(256,256,256),(512,256,128),(256,256,128),(512,512,64),(1024,512,32),(1024,1024,16),(2048,1024,8),(64,64,64),(32,32,64),(128,128,8)] {
  let x = g.normal(shape: [1,c,h,h]), w = g.normal(shape: [o,c,3,3])
  time("conv3 \(c) \(o) \(h)", flops: 2*Double(c*o*9*h*h)) { _ = conv2d(x, weight: w, padding: 1) }
}
for (c, o, h) in [(512,256,256),(1024,3072,32),(1024,1024,16)] {
  let x = g.normal(shape: [1,c,h,h]), w = g.normal(shape: [o,c,1,1])
  time("conv1 \(c) \(o) \(h)", flops: 2*Double(c*o*h*h)) { _ = conv2d(x, weight: w) }
}
for (c, h) in [(256,256),(512,64),(32,64)] {
  let x = g.normal(shape: [1,c,h,h]), w = g.normal(shape: [c])
  time("gn \(c) \(h)") { _ = groupNorm(x, groups: 32, weight: w, bias: w) }
  time("gn silu \(c) \(h)") { _ = groupNorm(x, groups: 32, weight: w, bias: w, applyingSiLU: true) }
  time("silu") { _ = silu(x) }
  time("up") { _ = upsampleNearest2x(x) }
  time("avg") { _ = averagePool2x2(x) }
  time("bilinear") { _ = resizeBilinear(x, height: 256, width: 256) }
  time("concat") { _ = concatenateChannels(x, x) }
}
for (c, t) in [(512,1024),(1024,256)] { let q = g.normal(shape: [1,3*c,t]); time("attn \(c) \(t)", flops: 4*Double(c*t*t)) { _ = qkvAttention(q, heads: c/64, order: .legacy) } }
