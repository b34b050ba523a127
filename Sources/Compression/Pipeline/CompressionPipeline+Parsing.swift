import SimKernel

extension CompressionPipeline {
  /// Turns `top_k:ratio=0.01|fp16|zstd:level=3` into the JSON list a scenario would hold.
  ///
  /// Stages are separated by `|`, parameters by `,`. Values that read as numbers or as `true` and
  /// `false` become such, others strings. Names and parameters are checked by the records.
  public static func parse(_ text: String) -> Result<JSONNode, Issue.Problem.Found> {
    var stages: [JSONNode] = []
    for part in text.split(separator: "|", omittingEmptySubsequences: false) {
      let stage = trimmed(part)
      let pieces = stage.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let name = pieces.isEmpty ? "" : trimmed(pieces[0])
      if name.isEmpty {
        return .failure(
          .init(
            .invalid(
              found: "\(JSONNode.quoted(text)) has a stage without a name",
              expected: "write codecs separated by |, for example \"top_k:ratio=0.01|fp16\"")))
      }
      var members = [JSONMember("codec", JSONNode(.string(String(name))))]
      if pieces.count == 2 {
        for pair in pieces[1].split(separator: ",", omittingEmptySubsequences: false) {
          let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
          guard sides.count == 2, !trimmed(sides[0]).isEmpty, !trimmed(sides[1]).isEmpty else {
            return .failure(
              .init(
                .invalid(
                  found:
                    "\(JSONNode.quoted(String(pair))) in stage \(JSONNode.quoted(String(name))) "
                    + "is not a parameter",
                  expected: "write key=value, for example \"zstd:level=3\"")))
          }
          let key = String(trimmed(sides[0]))
          if members.contains(where: { $0.key == key }) {
            return .failure(
              .init(
                .invalid(
                  found: "\(JSONNode.quoted(key)) is given twice in stage "
                    + JSONNode.quoted(String(name)), expected: "give it once")))
          }
          members.append(JSONMember(key, value(trimmed(sides[1]))))
        }
      }
      stages.append(JSONNode(.object(members)))
    }
    return .success(JSONNode(.array(stages)))
  }

  /// The pipeline that `text` spells, with everything that is wrong with it reported at `path`.
  public static func read(
    _ text: String, path: FieldPath = FieldPath(["--pipeline"]), issues: IssueCollector
  ) -> CompressionPipeline {
    read(JSONNode(.string(text)), path: path, issues: issues)
  }

  /// The pipeline that `node` - a list, one codec, or a text - holds.
  public static func read(
    _ node: JSONNode, path: FieldPath, issues: IssueCollector
  ) -> CompressionPipeline {
    let stages = FieldReader.members(
      of: CodecCatalog.registry, node, path: path, issues: issues, expand: parse)
    return CompressionPipeline(
      stages: stages, path: path, position: node.position, issues: issues)
  }

  private static func value(_ text: Substring) -> JSONNode {
    if text == "true" || text == "false" { return JSONNode(.bool(text == "true")) }
    if let integer = Int(text) { return JSONNode(.number(JSONNumber(integer))) }
    // Letters that are no exponent ("inf", "nan", "0x1p3") stay text and are refused by the record.
    if text.allSatisfy({ $0.isASCII && ($0.isNumber || ".-+eE".contains($0)) }),
      let number = Double(text)
    {
      return JSONNode(.number(JSONNumber(number)))
    }
    return JSONNode(.string(String(text)))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var rest = text.drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return rest
  }
}
