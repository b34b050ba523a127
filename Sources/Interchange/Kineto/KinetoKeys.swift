import SimKernel

/// The keys of an event, made once a reader.
struct KinetoKeys {
  let ph = JSONKey("ph")
  let cat = JSONKey("cat")
  let name = JSONKey("name")
  let ts = JSONKey("ts")
  let dur = JSONKey("dur")
  let pid = JSONKey("pid")
  let tid = JSONKey("tid")
  let args = JSONKey("args")
  let externalID = JSONKey("External id")
  let externalIDLower = JSONKey("external id")
  let correlation = JSONKey("correlation")
  let stream = JSONKey("stream")
  let device = JSONKey("device")
  let inputDims = JSONKey("Input Dims")
  let inputType = JSONKey("Input type")
  let collectiveName = JSONKey("Collective name")
  let messageElements = JSONKey("In msg nelems")
  let groupSize = JSONKey("Group size")
  let groupName = JSONKey("Process Group Name")
  let groupRanks = JSONKey("Process Group Ranks")
  let dtype = JSONKey("dtype")

  /// A bit for the mark of every key of arguments that is read.
  private let argumentMarks: UInt64

  init() {
    argumentMarks = [
      externalID, externalIDLower, correlation, stream, device, inputDims, inputType,
      collectiveName, messageElements, groupSize, groupName, groupRanks, dtype,
    ].reduce(0) { $0 | 1 << $1.mark }
  }

  /// Whether a key may be one of the arguments that are read: most of the others are told at once.
  @inline(__always)
  func mayBeArgument(_ key: JSONKey) -> Bool { argumentMarks >> key.mark & 1 == 1 }

  private let phases: [(key: JSONKey, phase: KinetoEvent.Phase)] = [
    (JSONKey("X"), .complete), (JSONKey("f"), .flow), (JSONKey("s"), .flow),
    (JSONKey("t"), .flow), (JSONKey("M"), .metadata), (JSONKey("i"), .instant),
    (JSONKey("I"), .instant), (JSONKey("R"), .instant), (JSONKey("B"), .beginOrEnd),
    (JSONKey("E"), .beginOrEnd), (JSONKey("C"), .counter),
  ]

  /// Whether a key belongs to ``KinetoMessage``.
  func isMessage(_ key: JSONKey) -> Bool {
    key == inputDims || key == inputType || key == collectiveName || key == messageElements
      || key == groupSize || key == groupName || key == groupRanks || key == dtype
  }

  func phase(_ word: JSONKey) -> KinetoEvent.Phase {
    for (key, phase) in phases where key == word { return phase }
    return .other
  }
}

/// What is collected about one message before its event is complete.
struct KinetoMessage {
  var name: String?
  var elements: Int64?
  var elementType: String?
  var inputElements: [Int64] = []
  var inputTypes: [String] = []
  var groupName: String?
  var groupSize: Int?
  var groupRanks: [Int]?

  /// From the message's own words if they are there, else from the tensors; nil if a type is not
  /// known.
  var bytes: ByteCount? {
    if let elements, let elementType {
      guard let width = ElementType.width(of: elementType) else { return nil }
      return Self.product(elements, width)
    }
    if inputElements.isEmpty { return nil }
    var total: Int64 = 0
    for (index, count) in inputElements.enumerated() where count > 0 {
      guard index < inputTypes.count, let width = ElementType.width(of: inputTypes[index]),
        let bytes = Self.product(count, width)
      else { return nil }
      total = total.addingReportingOverflow(bytes.bytes).partialValue
    }
    return total >= 0 ? .bytes(total) : nil
  }

  private static func product(_ count: Int64, _ width: Int) -> ByteCount? {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: Int64(width))
    return overflow || bytes < 0 ? nil : .bytes(bytes)
  }

  /// The ranks in `[0, 1, 2]`; nil if it is anything else, such as a list cut short.
  static func ranks(_ text: String) -> [Int]? {
    guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
    var ranks: [Int] = []
    for word in text.dropFirst().dropLast().split(separator: ",") {
      guard let rank = Int(word.filter { $0 != " " }) else { return nil }
      ranks.append(rank)
    }
    return ranks
  }
}
