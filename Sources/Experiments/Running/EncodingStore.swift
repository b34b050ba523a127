import Dispatch
import Foundation
import SimKernel
import Synchronization
import Training

/// The encoded gradients of a sweep: each distinct request is measured once and shared by the runs
/// that need it.
struct EncodingStore: Sendable {
  private let results: [String: EncodingResult]

  /// Measures all distinct requests, `threads` at a time.
  ///
  /// - Throws: what the first failing request (in order) threw.
  static func prepare(
    _ requests: [EncodingRequest], threads: Int, stop: StopFlag
  ) throws -> EncodingStore {
    var distinct: [EncodingRequest] = []
    var seen: Set<String> = []
    for request in requests where seen.insert(request.key).inserted && request.isNeeded {
      distinct.append(request)
    }
    let pending = distinct
    let outcomes = Mutex<[Int: Result<EncodingResult, any Error>]>([:])
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, pending.count))) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < pending.count else { return }
        let outcome = Result { try pending[index].measure(stop: stop) }
        outcomes.withLock { $0[index] = outcome }
      }
    }
    var results: [String: EncodingResult] = [:]
    for (index, request) in pending.enumerated() {
      guard let outcome = outcomes.withLock({ $0[index] }) else { continue }
      do {
        results[request.key] = try outcome.get()
      } catch SimulationError.interrupted {
        // The runs that needed it will see the same flag and not start.
        continue
      }
    }
    return EncodingStore(results: results)
  }

  /// What was measured for `request`; nil if nothing needed measuring.
  func result(for request: EncodingRequest) -> EncodingResult? { results[request.key] }
}
