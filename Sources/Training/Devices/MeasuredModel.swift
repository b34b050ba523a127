import SimKernel

/// What one model took on one device at one batch, gradient by gradient: an entry of `models` in a
/// device profile.
///
/// Forward, backward and ready times come from passes without hooks around layers; the times of
/// layers from others with them, whose sum beside the step shows what measuring costs.
public struct MeasuredModel: Sendable, Equatable {
  /// A tensor and when its gradient was ready, after backward began.
  public struct Ready: Sendable, Equatable {
    public var tensor: String
    public var time: SimDuration
  }
  /// A layer that owns parameters, and what it took.
  public struct Layer: Sendable, Equatable {
    public var name: String
    public var forward: SimDuration
    public var backward: SimDuration
  }

  /// As the catalogue calls it, no alias.
  public var model: String
  public var batch: Int
  public var precision: Precision
  public var forward: SimDuration
  public var backward: SimDuration
  /// In the order they became ready; empty if that was not measured.
  public var ready: [Ready]
  public var layers: [Layer]
  /// Between layers in the same passes: activations, pooling, attention scores, residual sums, loss.
  public var between: SimDuration?
  /// The distance of the quartiles of the step over its median.
  public var spread: Double?
  /// Which implementation of the model ran.
  public var implementation: String?

  /// Forward and backward.
  public var step: SimDuration { forward + backward }

  /// The layers and what lies between them over the step, less 1: the cost of measuring layers; nil
  /// if they were not measured.
  public var layerGap: Double? {
    guard let between, !layers.isEmpty, step > .zero else { return nil }
    return (layerSum + between).seconds / step.seconds - 1
  }

  /// All layers, forward and backward.
  public var layerSum: SimDuration {
    layers.reduce(.zero) { $0 + $1.forward + $1.backward }
  }

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    let name = fields.required("model", .modelName, doc: "a model of simnet list models")
    model = ModelCatalog.summary(named: name)?.name ?? name
    batch = fields.required("batch", .count(), doc: "samples in the micro-batch")
    precision = fields.optional(
      "precision", .choice("precision"), default: Precision.fp32,
      doc: "fp32, tf32, or bf16 for automatic mixed precision")
    forward = fields.required("forward", .duration, doc: "until the loss is known")
    backward = fields.required("backward", .duration, doc: "from the loss to the last gradient")
    ready =
      fields.optional(
        "ready_us", .timesByName,
        doc: "tensor by tensor, microseconds from the start of backward until its gradient is ready"
      )?.map { Ready(tensor: $0.name, time: $0.time) } ?? []
    layers = fields.records(
      "layers", doc: "layers that own parameters, from a pass with hooks; informs"
    ) { fields in
      let times = [("forward_us", "forward"), ("backward_us", "backward")].map { key, pass in
        SimDuration.microseconds(
          fields.required(key, .nonNegative, doc: "its \(pass) pass, in microseconds"))
      }
      return Layer(
        name: fields.required("layer", .text("a layer", example: "conv1"), doc: "its name"),
        forward: times[0], backward: times[1])
    }
    between = fields.optional(
      "layers_between", .duration, doc: "what the same pass spent outside of these layers; informs")
    spread = fields.optional(
      "spread", .nonNegative, doc: "distance of the quartiles over the median; informs")
    _ = fields.optional("passes", .count(), doc: "how many passes were timed; informs")
    implementation = fields.optional("implementation", .text(), doc: "which code ran; informs")
    check(&fields)
  }

  /// Refuses times that would not fit the model's tensors.
  private func check(_ fields: inout FieldReader) {
    if forward == .zero || backward == .zero {
      fields.report(nil, .conflict("forward and backward take time"))
    }
    guard !ready.isEmpty, let table = ModelCatalog.table(named: model) else { return }
    let known = Set(table.tensors.map(\.name))
    if let other = ready.first(where: { !known.contains($0.tensor) }) {
      fields.report(
        "ready_us", .conflict("\(model) has no tensor \(other.tensor); see: simnet list models"))
    }
    let given = Set(ready.map(\.tensor))
    let missing = table.tensors.filter { $0.isExecuted && !given.contains($0.name) }
    if let first = missing.first {
      fields.report(
        "ready_us", .conflict("\(missing.count) tensors of \(model) are missing: \(first.name)"))
    }
    if let late = ready.first(where: { $0.time > backward }) {
      fields.report(
        "ready_us", .conflict("\(late.tensor) is ready after the end of backward"))
    }
  }

  /// When each gradient of `tensors` is ready, in forward order; nil without ready times.
  ///
  /// A gradient that is ready earlier than one of a later layer waits for it, as everywhere in
  /// simnet, and the first tensor's stands for the whole of backward. Tensors without gradient are
  /// ready with the next one.
  func readyOffsets(_ tensors: [ModelTensor]) -> [SimDuration]? {
    if ready.isEmpty { return nil }
    var times: [String: SimDuration] = [:]
    for entry in ready { times[entry.tensor] = entry.time }
    var offsets = [SimDuration](repeating: .zero, count: tensors.count)
    var latest = SimDuration.zero
    for index in tensors.indices.reversed() {
      latest = min(backward, max(latest, times[tensors[index].name] ?? .zero))
      offsets[index] = latest
    }
    offsets[0] = backward
    return offsets
  }

  /// The record as JSON.
  var node: JSONNode {
    func text(_ time: SimDuration) -> JSONNode { JSONNode(.string(DeviceFile.text(time))) }
    func micros(_ time: SimDuration) -> JSONNode {
      JSONNode(floatLiteral: Double(time.picoseconds) / 1e6)
    }
    var members = [
      JSONMember("model", JSONNode(.string(model))),
      JSONMember("batch", JSONNode(.number(JSONNumber(batch)))),
      JSONMember("precision", JSONNode(.string(precision.rawValue))),
      JSONMember("forward", text(forward)), JSONMember("backward", text(backward)),
    ]
    if let between { members.append(JSONMember("layers_between", text(between))) }
    if let spread { members.append(JSONMember("spread", JSONNode(floatLiteral: spread))) }
    if let implementation {
      members.append(JSONMember("implementation", JSONNode(.string(implementation))))
    }
    if !layers.isEmpty {
      let nodes = layers.map { layer in
        JSONNode(
          .object([
            JSONMember("layer", JSONNode(.string(layer.name))),
            JSONMember("forward_us", micros(layer.forward)),
            JSONMember("backward_us", micros(layer.backward)),
          ]))
      }
      members.append(JSONMember("layers", JSONNode(.array(nodes))))
    }
    if !ready.isEmpty {
      members.append(
        JSONMember(
          "ready_us",
          JSONNode(.object(ready.map { JSONMember($0.tensor, micros($0.time)) }))))
    }
    return JSONNode(.object(members))
  }
}

/// A name and a length of time.
public struct NamedTime: Sendable, Equatable {
  public var name: String
  public var time: SimDuration
}

extension FieldKind where Value == [NamedTime] {
  /// `{"conv1.weight": 1234.5}`, in microseconds; no name twice.
  public static var timesByName: FieldKind<[NamedTime]> {
    let expectation = "an object of names and microseconds"
    let example = #"{"conv1.weight": 1234.5}"#
    return FieldKind(
      expectation: expectation, example: example,
      schema: #"{"type":"object","additionalProperties":{"type":"number","minimum":0}}"#,
      placeholder: { [] },
      read: { node in
        guard let members = node.members else {
          return .failure(.wrongType(node, expectation, example))
        }
        let number = FieldKind<Double>.nonNegative
        var times: [NamedTime] = []
        times.reserveCapacity(members.count)
        for member in members {
          switch number.read(member.node) {
          case .success(let value):
            times.append(NamedTime(name: member.key, time: .microseconds(value)))
          case .failure(var found):
            found.deeper.insert(member.key, at: 0)
            found.position = found.position ?? member.node.position
            return .failure(found)
          }
        }
        return .success(times)
      },
      show: { times in
        "{"
          + times.map {
            JSONNode.quoted($0.name) + ":" + JSONNumber.shortest($0.time.seconds * 1e6)
          }
          .joined(separator: ",") + "}"
      })
  }
}
