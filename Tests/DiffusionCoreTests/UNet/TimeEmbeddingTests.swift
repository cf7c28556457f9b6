import DiffusionCore
import TensorCore
import TestSupport
import Testing

struct TimeEmbeddingTests {
  @Test func isTwoLayersOverTheSinusoids() throws {
    let (layer, w) = try randomLayer {
      TimeEmbedding(modelChannels: 8, embeddingChannels: 32, classCount: nil, weights: $0)
    }
    let first = linear(
      timestepEmbedding([0, 999], dimension: 8), weight: w["time_embed.0.weight"]!,
      bias: w["time_embed.0.bias"]!)
    let expected = linear(silu(first), weight: w["time_embed.2.weight"]!, bias: w["time_embed.2.bias"]!)
    #expect(layer.embed(timesteps: [0, 999]) == expected)
    #expect(layer.add(classes: nil, to: expected) == expected)
  }

  @Test func classesAddTheirRow() throws {
    let (layer, w) = try randomLayer {
      TimeEmbedding(modelChannels: 8, embeddingChannels: 32, classCount: 3, weights: $0)
    }
    let sum = layer.add(classes: [2, 0], to: Tensor(zeros: [2, 32]))
    let table = try #require(w["label_emb.weight"])
    #expect(sum.slice(0) == table.slice(2) && sum.slice(1) == table.slice(0))
  }

  /// Classes are given exactly to a network that is conditioned on them.
  @Test func missingClassIsAMistake() async {
    await #expect(processExitsWith: .failure) {
      let (layer, _) = try randomLayer {
        TimeEmbedding(modelChannels: 8, embeddingChannels: 32, classCount: 3, weights: $0)
      }
      _ = layer.add(classes: nil, to: Tensor(zeros: [1, 32]))
    }
  }
}
