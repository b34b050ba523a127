import Foundation
import Interchange
import SimKernel
import Training

/// Reads the recorded gradients that a scenario names.
enum GradientFiles {
  /// The gradients of `files`, one a worker; nil if one of them cannot be used, which is reported at
  /// `path`.
  static func read(
    _ files: [String], directory: URL, path: FieldPath, root: JSONNode, issues: IssueCollector
  ) -> RecordedGradients? {
    var workers: [[Float]] = []
    var tensors: [Training.GradientTensor] = []
    for (index, file) in files.enumerated() {
      let place = path.appending(String(index))
      func report(_ found: String, _ expected: String) {
        issues.report(
          Issue(
            path: place, position: root.get(place.parts)?.position,
            problem: .invalid(found: found, expected: expected)))
      }
      do throws(InterchangeError) {
        let gradient = try GradientFile.read(
          path: URL(fileURLWithPath: file, relativeTo: directory).path)
        try gradient.checkFinite()
        let own = gradient.tensors.map { tensor in
          Training.GradientTensor(
            name: tensor.name,
            kind: GradientKind(layerKind: "", tensor: tensor.name, shape: tensor.shape),
            shape: tensor.shape.reduce(1, *) == tensor.count ? tensor.shape : [tensor.count])
        }
        if index > 0, own.map(\.elements) != tensors.map(\.elements) {
          report(
            "\(file) has other tensors than \(files[0])",
            "all workers must hold gradients of one model")
          return nil
        }
        tensors = own
        workers.append(gradient.values)
      } catch {
        // Named as the scenario names it, not by where it lies on this machine.
        let offset = error.byteOffset.map { ", byte \($0)" } ?? ""
        report("\(file)\(offset): \(error.found)", error.expected)
        return nil
      }
    }
    do {
      return try RecordedGradients(
        tensors: tensors, workers: workers,
        provenance: "recorded: " + files.joined(separator: ", "))
    } catch {
      issues.report(
        Issue(
          path: path, position: root.get(path.parts)?.position,
          problem: .invalid(
            found: "the gradients do not fit together: \(error)",
            expected: "give one gradient of the same model a worker")))
      return nil
    }
  }
}
