import Interchange

/// Small traces as PyTorch's profiler writes them.
enum KinetoText {
  static func event(
    _ name: String, _ category: String, _ start: Int, _ duration: Int, tid: Int = 1,
    args: String = ""
  ) -> String {
    "{\"ph\":\"X\",\"cat\":\"\(category)\",\"name\":\"\(name)\",\"pid\":1,\"tid\":\(tid),"
      + "\"ts\":\(start),\"dur\":\(duration),\"args\":{\(args)}}"
  }

  static func trace(_ events: [String]) throws -> KinetoTrace {
    let text = "{\"traceEvents\":[\(events.joined(separator: ","))]}"
    return try KinetoTrace(bytes: Array(text.utf8), path: "t")
  }
}
