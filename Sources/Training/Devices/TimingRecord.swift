import SimKernel

/// One training time of a whole model on one device that somebody ran.
struct TimingRecord: Sendable {
  var device: String
  /// ``Precision/fp32``, ``Precision/tf32`` or ``Precision/amp``.
  var precision: Precision
  var model: String
  /// The batch the step time holds at.
  var batch: Int
  /// Whether the source states the batch; else it is nominal.
  var isBatchStated: Bool
  /// Forward, backward and optimizer at ``batch``.
  var step: SimDuration
  /// What ran it, if the source says.
  var accelerator: String
  var source: String
  /// Layer-wise backward completion, if it was recorded.
  var log: BackwardLog?

  /// All records of the embedded text, in its order.
  static let all: [TimingRecord] = {
    var lines = EmbeddedLines.deviceTimes
    var records: [TimingRecord] = []
    while let line = lines.next() {
      var words = EmbeddedWords(line)
      switch words.word() {
      case "published": records.append(published(&words))
      case "measured": records.append(measured(&words, &lines))
      default: continue
      }
    }
    return records
  }()

  /// The record for a model, those with layer-wise times first; nil if there is none.
  static func find(device: String, precision: Precision, model: String) -> TimingRecord? {
    let matches = all.filter {
      $0.device == device && $0.precision == precision && $0.model == model
    }
    return matches.first { $0.log != nil } ?? matches.first
  }

  private static func head(_ words: inout EmbeddedWords) -> (String, Precision, String) {
    let device = words.word()
    guard let precision = Precision(rawValue: words.word()) else {
      preconditionFailure("an unknown precision in the embedded data")
    }
    return (device, precision, words.word())
  }

  private static func published(_ words: inout EmbeddedWords) -> TimingRecord {
    let (device, precision, model) = head(&words)
    guard let rate = Double(words.word()) else {
      preconditionFailure("a rate is missing in the embedded data")
    }
    let batch = words.integer()
    let stated = words.integer() == 1
    return TimingRecord(
      device: device, precision: precision, model: model, batch: batch, isBatchStated: stated,
      step: .seconds(Double(batch) / rate), accelerator: words.word(),
      source: words.remainder())
  }

  private static func measured(
    _ words: inout EmbeddedWords, _ lines: inout EmbeddedLines
  ) -> TimingRecord {
    let (device, precision, model) = head(&words)
    let batch = words.integer()
    let step = SimDuration(picoseconds: Int64(words.integer()))
    let count = words.integer()
    var events: [BackwardLog.Event] = []
    var elapsed = SimDuration.zero
    for _ in 0..<count {
      guard let line = lines.next() else { preconditionFailure("the embedded data ends early") }
      var event = EmbeddedWords(line)
      elapsed += SimDuration(picoseconds: Int64(event.integer()))
      events.append(BackwardLog.Event(end: elapsed, size: ByteCount(Int64(event.integer()))))
    }
    return TimingRecord(
      device: device, precision: precision, model: model, batch: batch, isBatchStated: true,
      step: step, accelerator: "", source: words.remainder(), log: BackwardLog(events: events))
  }
}
