import Interchange
import SimKernel

/// A model made of measured layers or of recorded gradients: the table that `workload.model.file` names.
struct ImportedModel {
  /// The table as CSV.
  let text: String
  let made: String
  let notes: [String]
  let assumed: [String]
  /// Parts of `workload.compute` that the table cannot hold.
  var compute: [(String, JSONNode)] = []

  private struct Row {
    var name: String
    var layer: String
    var elements: Int
    /// As recorded; nil where nobody says.
    var shape: [Int]?
    var forward: SimDuration?
    var backward: SimDuration?
  }

  /// A matrix of so many elements, with rows of at most 4096 where that divides.
  ///
  /// Gradients are made by rows and columns: one row of millions takes long, and resembles nothing.
  private static func matrix(of elements: Int) -> [Int] {
    guard elements > 4096 else { return [elements] }
    let columns = stride(from: 4096, to: 1, by: -1).first { elements % $0 == 0 }
    return columns.map { [elements / $0, $0] } ?? [elements]
  }

  private static func table(
    _ rows: [Row], name: String, source: String, batch: Int
  ) -> String {
    func clean(_ text: String) -> String {
      var out = ""
      for scalar in text.unicodeScalars {
        out.unicodeScalars.append(scalar.value < 0x20 || scalar == "\"" ? " " : scalar)
      }
      return out
    }
    let isTimed = rows.contains { $0.backward != nil }
    var text = "# name: \(clean(name))\n# source: \(clean(source))\n"
    if isTimed { text += "# batch: \(batch)\n" }
    text += "tensor,layer,shape" + (isTimed ? ",forward_us,backward_us" : "") + "\n"
    for row in rows {
      let known = row.shape.flatMap { $0.count > 1 && $0.reduce(1, *) == row.elements ? $0 : nil }
      let shape = (known ?? matrix(of: row.elements)).map(String.init).joined(separator: "x")
      text += "\"\(clean(row.name))\",\"\(clean(row.layer))\",\(shape)"
      if isTimed {
        for time in [row.forward, row.backward] {
          let microseconds = time.map { Double($0.picoseconds) / 1e6 }
          text += "," + (microseconds.map(JSONNumber.shortest) ?? "")
        }
      }
      text += "\n"
    }
    return text
  }

  /// The layers of a profile one after the other.
  ///
  /// What has no parameters adds its times to the layer with parameters before it, whose gradient then
  /// waits for its backward pass, too.
  ///
  /// - Throws: `InterchangeError` if no layer has parameters.
  init(_ graph: PipeDreamGraph, path: String, name: String, batch: Int) throws(InterchangeError) {
    let order = try graph.forwardGraph(origin: path).order
    var rows: [Row] = []
    var (forward, backward) = (SimDuration.zero, SimDuration.zero)
    for layer in order.map({ graph.layers[Int($0)] }) {
      let elements = layer.parameters.bytes / 4
      if elements < 1, !rows.isEmpty {
        rows[rows.count - 1].forward! += layer.forward
        rows[rows.count - 1].backward! += layer.backward
        continue
      }
      forward += layer.forward
      backward += layer.backward
      if elements < 1 { continue }
      let title = "\(layer.id) \(layer.description)"
      rows.append(
        Row(
          name: title, layer: title, elements: Int(elements), forward: forward,
          backward: backward))
      (forward, backward) = (.zero, .zero)
    }
    guard !rows.isEmpty else {
      throw InterchangeError(
        path: path, found: "no layer with parameters", expected: "something to train")
    }
    text = Self.table(rows, name: name, source: path, batch: batch)
    made = "\(rows.count) tensors of \(graph.layers.count) layers"
    notes = [
      "branches: layers run one after the other; simnet graph \(path) has them side by side",
      "sizes of activations",
    ]
    assumed = ["times are those of \(batch) samples (--batch)"]
  }

  /// The gradients of a backward pass, which the log has from the last to the first.
  init(_ log: NetAIBackwardLog, path: String, name: String, batch: Int) {
    let count = log.events.count / max(1, log.batches)
    var rows: [Row] = []
    for index in (0..<count).reversed() {
      let event = log.events[index]
      let title = "gradient \(count - 1 - index)"
      rows.append(
        Row(
          name: title, layer: title, elements: max(1, Int(event.size.bytes / 4)),
          forward: .zero, backward: event.wait))
    }
    text = Self.table(rows, name: name, source: path, batch: batch)
    made = "\(count) gradients"
    let half = log.events.prefix(count).reduce(SimDuration.zero) { $0 + $1.wait }.scaled(by: 0.5)
    compute = [("forward", .text(half.shortText))]
    assumed = [
      "a forward pass of half of the backward one (workload.compute)",
      "times are those of \(batch) samples (--batch)",
    ]
    notes = log.batches > 1 ? ["batches after the first of \(log.batches)"] : []
  }

  /// The tensors of recorded gradients, whose times nobody recorded.
  init(_ gradient: GradientFile, path: String, name: String) {
    let rows = gradient.tensors.filter { $0.count > 0 }.enumerated().map { index, tensor in
      let title = tensor.name.isEmpty ? "tensor \(index)" : tensor.name
      return Row(name: title, layer: title, elements: tensor.count, shape: tensor.shape)
    }
    text = Self.table(rows, name: name, source: path, batch: 1)
    made = "\(rows.count) tensors of \(gradient.values.count) elements"
    notes = []
    assumed = ["5 ms of forward and 10 ms of backward (workload.compute)"]
    compute = [("forward", .text("5 ms")), ("backward", .text("10 ms"))]
  }
}
