import SimKernel

extension ModelTable {
  /// Reads a user's own table: JSON of the form `simnet-model-table/1`, or CSV with the same columns.
  ///
  /// The least a table needs is a name and a shape (or a number of elements) for each tensor, in
  /// forward order:
  ///
  ///     # name: two_layers
  ///     # batch: 32
  ///     tensor,shape,macs,forward_ms,backward_ms
  ///     fc1.weight,128x64,8192,0.8,1.7
  ///     fc1.bias,128,0,0,0
  ///
  /// `macs` on several tensors of a layer are added up on its first. Times (`forward`, `backward`,
  /// `ready`, in `_us` or `_ms`) are those of the batch that the line `# batch:`, or the key `batch`,
  /// names.
  ///
  /// - Throws: ``InvalidInput`` with every problem found, each with its line and column.
  /// - Complexity: linear in the text.
  public static func parse(_ text: String, origin: String) throws(InvalidInput) -> ModelTable {
    let issues = IssueCollector()
    let isJSON = text.first { !$0.isWhitespace && $0 != "\u{FEFF}" } == "{"
    let node = isJSON ? try json(text, origin) : csv(text, origin, issues)
    let defaultName = stem(of: origin)
    let file = FieldReader.read(node, path: FieldPath([defaultName]), issues: issues) {
      UserTable(&$0)
    }
    // A table with faults has placeholders in it, whose own faults would only confuse.
    try issues.throwIfInvalid()
    let table = file.table(defaultName: defaultName, origin: origin, issues: issues)
    try issues.throwIfInvalid()
    return table
  }

  private static func json(_ text: String, _ origin: String) throws(InvalidInput) -> JSONNode {
    do throws(JSONError) {
      return try JSONNode.parse(text, origin: origin)
    } catch {
      throw InvalidInput([
        Issue(
          path: FieldPath([stem(of: origin)]), position: error.position,
          problem: .invalid(
            found: error.message, expected: "a model table is JSON or CSV; see simnet explain"))
      ])
    }
  }

  /// The file name without folders and extension.
  private static func stem(of origin: String) -> String {
    let file = origin.split(separator: "/").last.map(String.init) ?? origin
    guard let dot = file.lastIndex(of: "."), dot > file.startIndex else { return file }
    return String(file[..<dot])
  }
}

/// A user's table as written.
struct UserTable {
  let format: String
  let name: String?
  let sample: String?
  let source: String?
  let parameters: Int?
  let attention: Int
  let batch: Int?
  let tied: [TiedLayer]
  let rows: [UserTensor]
  let position: TextPosition?

  init(_ fields: inout FieldReader) {
    let known = "simnet-model-table/1"
    format = fields.optional("format", .text(), default: known, doc: "the form of the table")
    if format != known {
      fields.report(
        "format",
        .invalid(found: "the form \(JSONNode.quoted(format))", expected: "write \"\(known)\""))
    }
    name = fields.optional("name", .text(), doc: "what the model is called")
    sample = fields.optional("sample", .text(), doc: "what one sample is")
    source = fields.optional("source", .text(), doc: "where the table comes from")
    parameters = fields.optional("parameters", .count(), doc: "elements of all tensors, checked")
    _ = fields.optional("tensors", .count(), doc: "the number of tensors; not needed")
    _ = fields.optional("forward_macs_per_sample", .count(0), doc: "a total; not needed")
    _ = fields.optional("note", .text(), doc: "free text")
    attention = fields.optional(
      "attention_score_macs_per_sample", .integer(0...UserTensor.largest), default: 0,
      doc: "multiply-accumulates of attention scores, which belong to no tensor")
    batch = fields.optional(
      "batch", .integer(1...1 << 30), doc: "the batch that times were measured at")
    tied = fields.records(
      "compute_without_own_tensor", doc: "layers whose weight is an earlier tensor"
    ) { fields in
      _ = fields.optional("note", .text(), doc: "free text")
      return TiedLayer(
        layer: fields.required("layer", .text(), doc: "its name"),
        forwardMACs: fields.required(
          "fwd_macs_per_sample", .integer(0...UserTensor.largest),
          doc: "multiply-accumulates of its forward pass"))
    }
    rows = fields.records("tensors_forward_order", doc: "the tensors, first used first") {
      UserTensor(&$0)
    }
    if rows.isEmpty {
      fields.report(
        "tensors_forward_order",
        .invalid(found: "no tensors", expected: "a model has at least one"))
    }
    position = fields.position
  }

  /// The checked table; what is wrong across rows goes to `issues`.
  func table(defaultName: String, origin: String, issues: IssueCollector) -> ModelTable {
    let name = name ?? defaultName
    func report(_ row: UserTensor, _ problem: Issue.Problem) {
      issues.report(
        Issue(path: FieldPath([name, row.name]), position: row.position, problem: problem))
    }
    var tensors: [ModelTensor] = []
    var firstOfLayer = 0
    var seen: Set<String> = []
    var total = 0
    var work = tied.reduce(attention) { min($0 + $1.forwardMACs, UserTensor.largest + 1) }
    var activations = 0
    for row in rows {
      if !seen.insert(row.name).inserted {
        report(row, .invalid(found: "the tensor is given twice", expected: "names are unique"))
      }
      total += row.elements
      work += row.macs
      activations += row.activation
      if let last = tensors.last, last.layer == row.layer {
        tensors[firstOfLayer].forwardMACs += row.macs
        tensors[firstOfLayer].activationElements += row.activation
        tensors.append(row.tensor(layerIndex: last.layerIndex, isFirst: false))
      } else {
        firstOfLayer = tensors.count
        tensors.append(
          row.tensor(layerIndex: (tensors.last?.layerIndex ?? -1) + 1, isFirst: true))
      }
      // Each addend is at most 2^50, so no sum has overflowed when it is refused here.
      if max(total, work, activations) > UserTensor.largest {
        report(
          row,
          .outOfRange(
            found: "the total up to here", expected: "at most \(UserTensor.largest)"))
        break
      }
    }
    if let parameters, parameters != total {
      issues.report(
        Issue(
          path: FieldPath([name, "parameters"]), position: position,
          problem: .invalid(
            found: "\(parameters), but the tensors have \(total) elements",
            expected: "correct it or leave it out")))
    }
    checkTimes(name, report)
    return ModelTable(
      name: name, sample: sample ?? "sample", source: source ?? origin, tensors: tensors,
      tied: tied, attentionScoreMACs: attention,
      measuredBatch: rows.contains { $0.hasTimes } ? batch : nil)
  }

  private func checkTimes(_ name: String, _ report: (UserTensor, Issue.Problem) -> Void) {
    guard let timed = rows.first(where: \.hasTimes) else { return }
    if batch == nil {
      report(
        timed,
        .missingKey(
          expected: "the batch the times were measured at", example: "a line '# batch: 32'"))
    }
    // A gradient of the last layer is ready first.
    guard rows.contains(where: { $0.ready != nil }) else { return }
    var later = SimDuration.zero
    for row in rows.reversed() {
      guard let ready = row.ready else {
        report(
          row,
          .missingKey(expected: "a ready time, since other tensors have one", example: "12.5"))
        return
      }
      if ready < later {
        report(
          row,
          .invalid(
            found: "ready after \(ready), before the tensor that follows it",
            expected: "gradients become ready from the last tensor to the first"))
        return
      }
      later = ready
    }
  }
}
