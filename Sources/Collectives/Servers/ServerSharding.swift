import SimKernel

/// How tensors are spread over parameter servers.
public enum ServerSharding: Hashable, Sendable {
  /// Every tensor goes whole to server `key * 9973 mod servers`, as MXNet's key-value store does.
  case hash
  /// As ``hash``, but a tensor of at least this many elements is cut into one part a server.
  ///
  /// MXNet's `MXNET_KVSTORE_BIGARRAY_BOUND` is 1,000,000.
  case split(from: Int64)
  /// Tensors are cut into slices of at most this many elements, dealt to the servers in turn.
  ///
  /// P3 takes 50,000 parameters a slice (Jayarajan et al., MLSys 2019).
  case slices(of: Int64)

  /// All shardings, as a scenario names them.
  public static let registry = Registry<ServerSharding>(
    noun: "sharding", discriminator: "kind",
    entries: [
      .init("split", summary: "large tensors in equal parts over all servers, others by hash") {
        .split(
          from: Int64(
            $0.optional(
              "from", .count(1), default: 1_000_000, doc: "elements from which a tensor is cut")))
      },
      .init("hash", summary: "whole tensors to key * 9973 mod servers") { _ in .hash },
      .init("slices", summary: "slices of a fixed number of elements, dealt in turn") {
        .slices(
          of: Int64(
            $0.optional("of", .count(1), default: 50_000, doc: "elements of one slice")))
      },
    ])

  /// The parts of `tensors` and the server of each, in element order; empty parts are left out.
  ///
  /// Slices are dealt from server `turn` modulo their number on.
  public func shards(of tensors: [ServedTensor], servers: Int, turn first: Int = 0) -> [Shard] {
    precondition(servers > 0, "shards need a server")
    var shards: [Shard] = []
    var start: Int64 = 0
    var turn = first % servers
    func add(_ lower: Int64, _ upper: Int64, _ server: Int) {
      if lower < upper {
        shards.append(Shard(elements: start + lower..<start + upper, server: server))
      }
    }
    for tensor in tensors {
      let count = tensor.elements
      switch self {
      case .split(let bound) where count >= bound:
        for server in 0..<servers {
          add(
            Self.bound(server, of: servers, count), Self.bound(server + 1, of: servers, count),
            server)
        }
      case .hash, .split: add(0, count, tensor.key % servers * 9973 % servers)
      case .slices(let size):
        var lower: Int64 = 0
        while lower < count {
          let upper = min(count, lower + size)
          add(lower, upper, turn)
          turn = turn + 1 == servers ? 0 : turn + 1
          lower = upper
        }
      }
      start += count
    }
    return shards
  }

  /// Where part `part` of `parts` begins: `count * part / parts` rounded to the nearest, halves up,
  /// as MXNet does in floating point.
  private static func bound(_ part: Int, of parts: Int, _ count: Int64) -> Int64 {
    let parts = Int64(parts)
    let part = Int64(part)
    // Split before multiplying, so that large tensors do not overflow.
    let (whole, rest) = (count / parts, count % parts)
    return whole * part + (2 * rest * part + parts) / (2 * parts)
  }
}

/// A tensor that servers keep: its key, which decides the server, and its size.
public struct ServedTensor: Hashable, Sendable {
  /// The place of the tensor in the model, whatever else is sent with it.
  public var key: Int
  public var elements: Int64
  public init(key: Int, elements: Int64) {
    precondition(key >= 0 && elements >= 0, "keys and sizes are not negative")
    self.key = key
    self.elements = elements
  }
}

/// A part of a payload that one server sums.
public struct Shard: Hashable, Sendable {
  /// Its elements, counted through all tensors of the payload.
  public var elements: Range<Int64>
  public var server: Int
}
