import SimKernel

/// An MLCommons Chakra execution trace: what one rank computes and sends, and what waits for what.
///
/// The same value stands for the protobuf form (`.et`) and for the JSON form of Chakra's converter.
/// Durations are whole microseconds, message sizes bytes.
public struct ChakraTrace: Sendable, Equatable {
  /// What a node is.
  public enum Kind: Sendable, Equatable {
    case invalid, metadata, memoryLoad, memoryStore, compute, send, receive, collective
    case storage, batch, checkpoint
    /// A number of a later schema.
    case unknown(Int)

    init(_ number: Int) {
      self = Self.known.indices.contains(number) ? Self.known[number] : .unknown(number)
    }
    private static let known: [Kind] = [
      .invalid, .metadata, .memoryLoad, .memoryStore, .compute, .send, .receive, .collective,
      .storage, .batch, .checkpoint,
    ]
    /// As the schema numbers it.
    public var number: Int {
      if case .unknown(let number) = self { return number }
      return Self.known.firstIndex(of: self)!
    }
    /// As people call it.
    public var name: String {
      switch self {
      case .invalid: "invalid"
      case .metadata: "metadata"
      case .memoryLoad: "memory_load"
      case .memoryStore: "memory_store"
      case .compute: "compute"
      case .send: "send"
      case .receive: "receive"
      case .collective: "collective"
      case .storage: "storage"
      case .batch: "batch"
      case .checkpoint: "checkpoint"
      case .unknown(let number): "type \(number)"
      }
    }
  }

  /// The value of an attribute; whole numbers of all widths are one of two.
  public enum Value: Sendable, Equatable {
    case integer(Int64)
    case unsigned(UInt64)
    case double(Double)
    case float(Float)
    case bool(Bool)
    case string(String)
    case bytes([UInt8])
    case integers([Int64])
    case unsigneds([UInt64])
    case doubles([Double])
    case bools([Bool])
    case strings([String])
    /// No value is set.
    case none
    /// A list of byte strings, of which only the number is kept.
    case byteLists(Int)

    /// As a whole number, whichever width and sign it was written in.
    public var number: Int64? {
      switch self {
      case .integer(let value): value
      case .unsigned(let value): Int64(exactly: value)
      case .double(let value): Int64(exactly: value)
      case .string(let text): Int64(text)
      default: nil
      }
    }
    /// As a text.
    public var text: String? {
      if case .string(let text) = self { return text }
      return nil
    }
  }

  public struct Attribute: Sendable, Equatable {
    public var name: String
    public var value: Value
    public init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }
  }

  /// Python literals, each one text for all tensors.
  public struct Tensors: Sendable, Equatable {
    public var values: String
    public var shapes: String
    public var types: String
    public init(values: String, shapes: String, types: String) {
      self.values = values
      self.shapes = shapes
      self.types = types
    }
  }

  public struct Node: Sendable, Equatable {
    public var id: UInt64
    public var name: String
    public var kind: Kind
    public var controlParents: [UInt64]
    public var dataParents: [UInt64]
    /// Microseconds; 0 where nobody recorded it.
    public var startMicroseconds: UInt64
    public var durationMicroseconds: UInt64
    public var inputs: Tensors?
    public var outputs: Tensors?
    public var attributes: [Attribute]
    /// Where it stands in the file; -1 if it comes from none.
    public var byteOffset: Int

    public init(
      id: UInt64, name: String, kind: Kind, controlParents: [UInt64] = [],
      dataParents: [UInt64] = [], startMicroseconds: UInt64 = 0, durationMicroseconds: UInt64 = 0,
      inputs: Tensors? = nil, outputs: Tensors? = nil, attributes: [Attribute] = [],
      byteOffset: Int = -1
    ) {
      self.id = id
      self.name = name
      self.kind = kind
      self.controlParents = controlParents
      self.dataParents = dataParents
      self.startMicroseconds = startMicroseconds
      self.durationMicroseconds = durationMicroseconds
      self.inputs = inputs
      self.outputs = outputs
      self.attributes = attributes
      self.byteOffset = byteOffset
    }

    /// The attribute called `name`.
    public subscript(name: String) -> Value? {
      attributes.first { $0.name == name }?.value
    }
  }

  /// What the first message calls its schema; empty where it says nothing, as several converters do.
  public var version: String
  /// Attributes of the whole trace, such as `schema`, `pid` and `start_ts`.
  public var attributes: [Attribute]
  public var nodes: [Node]
  /// What messages call the trace.
  public var origin: String

  public init(version: String, attributes: [Attribute] = [], nodes: [Node], origin: String) {
    self.version = version
    self.attributes = attributes
    self.nodes = nodes
    self.origin = origin
  }

  /// The schema, from ``version`` or from the attribute `schema`; nil if neither says it.
  public var schema: String? {
    if !version.isEmpty { return version }
    return attributes.first { $0.name == "schema" }?.value.text
  }

  /// The rank that the file's name gives, such as 3 in `all_reduce.3.et`; nil if it gives none.
  public var rank: Int? {
    let file = origin.split(separator: "/").last ?? ""
    for word in file.split(separator: ".").reversed() {
      if let rank = Int(word), rank >= 0, rank < 1 << 30 { return rank }
    }
    return nil
  }
}
