import Dispatch
import Foundation
import SimKernel
import Synchronization
import Training

/// The encoded gradients of a sweep: each distinct request is measured once and shared by the runs
/// that need it.
struct EncodingStore: Sendable {
  private let results: [String: Result<EncodingResult, any Error>]

  /// Measures all distinct requests that `cache` does not hold, `threads` at a time; what goes wrong
  /// meets the runs that ask for the result.
  static func prepare(
    _ requests: [EncodingRequest], threads: Int, stop: StopFlag, cache: EncodingCache? = nil
  ) -> EncodingStore {
    var results: [String: Result<EncodingResult, any Error>] = [:]
    var distinct: [EncodingRequest] = []
    var seen: Set<String> = []
    for request in requests where seen.insert(request.key).inserted && request.isNeeded {
      if let known = cache?[request.key] {
        results[request.key] = .success(known)
      } else {
        distinct.append(request)
      }
    }
    // Requests for the same gradients follow one another, so that a thread makes them once.
    var families: [String: Int] = [:]
    for request in distinct where families[request.gradientKey] == nil {
      families[request.gradientKey] = families.count
    }
    let pending = distinct
    let order = pending.indices.sorted {
      (families[pending[$0].gradientKey] ?? 0, $0) < (families[pending[$1].gradientKey] ?? 0, $1)
    }
    let outcomes = Mutex<[Int: Result<EncodingResult, any Error>]>([:])
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, pending.count))) { _ in
      var workspace = EncodingWorkspace()
      while true {
        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard place < order.count else { return }
        let index = order[place]
        let outcome: Result<EncodingResult, any Error>
        do {
          outcome = .success(try pending[index].measure(stop: stop, workspace: &workspace))
        } catch { outcome = .failure(error) }
        outcomes.withLock { $0[index] = outcome }
      }
    }
    for (index, request) in pending.enumerated() {
      let outcome = outcomes.withLock { $0[index] }
      results[request.key] = outcome
      if case .success(let measured)? = outcome { cache?[request.key] = measured }
    }
    return EncodingStore(results: results)
  }

  /// What was measured for `request`; nil if nothing needed measuring.
  ///
  /// - Throws: what measuring it threw.
  func result(for request: EncodingRequest) throws -> EncodingResult? {
    try results[request.key]?.get()
  }
}
