import SimKernel

/// Which device a cluster has: a listed one or a profile of the user's own.
public enum DeviceReference: Sendable, Hashable {
  case builtIn(String)
  /// A ``DeviceFile``, relative to the scenario, and the device it is laid over if not its own.
  case file(String, base: String?)

  /// The file to read, if there is one.
  public var file: String? {
    if case .file(let path, _) = self { return path }
    return nil
  }
}

extension FieldKind where Value == DeviceReference {
  /// A listed name, `"my-host.json"`, or `{"file": "my-host.json", "base": "a100"}`.
  public static var device: FieldKind<DeviceReference> {
    let named = FieldKind<String>.deviceName
    let expectation =
      "a device (" + DeviceCatalog.names.joined(separator: ", ")
      + #"), a profile such as "my-host.json", or {"file": "my-host.json", "base": "v100"}"#
    return FieldKind(
      expectation: expectation, example: #""v100""#,
      schema: #"{"anyOf":[\#(named.schema),{"type":"string","pattern":"\\.json$"},"#
        + #"{"type":"object","additionalProperties":false,"required":["file"],"properties":{"#
        + #""file":{"type":"string","description":"a device profile; see: simnet schema device"},"#
        + #""base":\#(named.schema)}}]}"#,
      placeholder: { .builtIn("v100") },
      read: { node in
        if let text = node.string {
          if text.hasSuffix(".json") { return .success(.file(text, base: nil)) }
          return named.read(node).map { .builtIn($0) }
        }
        guard let members = node.members else {
          return .failure(.wrongType(node, expectation, #""v100""#))
        }
        for member in members where !["file", "base"].contains(member.key) {
          return .failure(
            .init(
              .unknownKey(
                found: member.key,
                suggestion: Spelling.suggestion(for: member.key, among: ["file", "base"]),
                known: ["file", "base"]), deeper: [member.key], position: member.node.position))
        }
        guard let file = node["file"]?.string else {
          return .failure(
            .init(
              .missingKey(expected: "the path of a device profile", example: #""my-host.json""#),
              deeper: ["file"], position: node.position))
        }
        guard let base = node["base"] else { return .success(.file(file, base: nil)) }
        switch named.read(base) {
        case .success(let name): return .success(.file(file, base: name))
        case .failure(var found):
          found.deeper = ["base"]
          found.position = base.position
          return .failure(found)
        }
      },
      show: { reference in
        switch reference {
        case .builtIn(let name): JSONNode.quoted(name)
        case .file(let path, base: nil): JSONNode.quoted(path)
        case .file(let path, let base?):
          #"{"file":\#(JSONNode.quoted(path)),"base":\#(JSONNode.quoted(base))}"#
        }
      })
  }
}
