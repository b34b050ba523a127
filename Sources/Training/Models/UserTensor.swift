import SimKernel

/// One row of a user's table as written.
struct UserTensor {
  /// No count of a row, nor their totals, may exceed this: sums of two stay far from overflow.
  static let largest = 1 << 50

  let name: String
  let layer: String
  let kind: String
  let shape: [Int]
  let elements: Int
  let macs: Int
  let activation: Int
  let executed: Bool
  let forward: SimDuration?
  let backward: SimDuration?
  let ready: SimDuration?
  let position: TextPosition?

  init(_ fields: inout FieldReader) {
    position = fields.position
    func first<Value>(
      _ keys: [String], _ kind: FieldKind<Value>, _ doc: String, _ fields: inout FieldReader
    ) -> Value? {
      var value: Value?
      for key in keys {
        let found = fields.optional(key, kind, doc: doc)
        if value == nil { value = found }
      }
      return value
    }
    let name = first(["tensor", "name"], .text(), "the tensor's name", &fields)
    if name?.isEmpty ?? true {
      fields.report("tensor", .missingKey(expected: "a name", example: "\"fc1.weight\""))
    }
    self.name = name ?? ""
    layer =
      fields.optional("layer", .text(), doc: "the layer; else the name up to its last dot")
      ?? Self.layer(of: self.name)
    kind = fields.optional("kind", .text(), default: "", doc: "the layer's kind, such as Conv2d")
    let extents = fields.optional(
      "shape", .list(of: .integer(1...Self.largest)), doc: "the extents")
    let count = first(
      ["numel", "elements"], .integer(1...Self.largest), "the number of elements", &fields)
    (shape, elements) = Self.size(extents, count, &fields)
    macs =
      first(
        ["fwd_macs_per_sample", "macs"], .integer(0...Self.largest),
        "multiply-accumulates of a forward pass over one sample", &fields) ?? 0
    activation =
      first(
        ["activation_out_numel_per_sample", "activation_elements"], .integer(0...Self.largest),
        "elements the layer puts out for one sample", &fields) ?? 0
    executed = fields.optional(
      "executed", .bool, default: true, doc: "whether the forward pass uses it")
    for key in ["index", "layer_index", "grad_bytes_fp32"] {
      _ = fields.optional(key, .count(0), doc: "not needed")
    }
    _ = fields.optional("fwd_fraction", .nonNegative, doc: "not needed")
    func time(_ key: String, _ doc: String, _ fields: inout FieldReader) -> SimDuration? {
      if let value = fields.optional(key + "_us", .number(in: 0...1e12), doc: doc) {
        return .microseconds(value)
      }
      return fields.optional(key + "_ms", .number(in: 0...1e9), doc: doc).map {
        SimDuration.milliseconds($0)
      }
    }
    forward = time("forward", "measured forward time of the layer", &fields)
    backward = time("backward", "measured backward time of the layer", &fields)
    ready = time("ready", "when the gradient is ready, from the start of backward", &fields)
  }

  var hasTimes: Bool { forward != nil || backward != nil || ready != nil }

  /// The tensor; its layer's totals stand on the first one.
  func tensor(layerIndex: Int, isFirst: Bool) -> ModelTensor {
    ModelTensor(
      name: name, layer: layer, kind: kind, shape: shape, elements: elements,
      forwardMACs: isFirst ? macs : 0, layerIndex: layerIndex,
      activationElements: isFirst ? activation : 0, isExecuted: executed,
      times: hasTimes ? TensorTimes(forward: forward, backward: backward, ready: ready) : nil)
  }

  /// `fc1` for `fc1.weight`; a name without a dot is its own layer.
  private static func layer(of name: String) -> String {
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
    return String(name[..<dot])
  }

  private static func size(
    _ extents: [Int]?, _ count: Int?, _ fields: inout FieldReader
  ) -> ([Int], Int) {
    guard let extents else {
      if count == nil {
        fields.report(
          "shape",
          .missingKey(expected: "a shape or a number of elements", example: "[64, 3, 7, 7]"))
      }
      return ([count ?? 1], count ?? 1)
    }
    var product = 1
    for extent in extents {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      if overflow || next > largest {
        fields.report(
          "shape",
          .outOfRange(
            found: "a tensor of \(extents.map(String.init).joined(separator: " x "))",
            expected: "at most \(largest) elements"))
        return (extents, 1)
      }
      product = next
    }
    if let count, count != product {
      fields.report(
        "numel",
        .invalid(
          found: "\(count) elements, but the shape has \(product)",
          expected: "correct it or leave it out"))
    }
    return (extents, product)
  }
}
