import SimKernel

/// Workers that have done the same at the same times so far: each class of them is simulated as one.
struct WorkerClasses {
  /// The class of every worker.
  private(set) var ofWorker: [Int32]
  /// How many workers each class has.
  private(set) var sizes: [Int]

  var count: Int { sizes.count }

  /// All workers as one.
  init(workers: Int) {
    ofWorker = Array(repeating: 0, count: workers)
    sizes = [workers]
  }

  /// The time of each class if `times` of all workers agree within classes; nil if they do not.
  func times(_ times: [SimTime]) -> [SimTime]? {
    var own = Array(repeating: SimTime.never, count: count)
    for (worker, time) in times.enumerated() {
      let place = Int(ofWorker[worker])
      if own[place] == .never {
        own[place] = time
      } else if own[place] != time {
        return nil
      }
    }
    return own
  }

  /// Parts workers of a class whose `times` differ; if little is left to gain, all of them.
  mutating func part(by times: [SimTime]) {
    struct Key: Hashable {
      var place: Int32
      var time: SimTime
    }
    // Only looked up: classes are numbered by their first workers.
    var known: [Key: Int32] = [:]
    var parted: [Int] = []
    for (worker, time) in times.enumerated() {
      let key = Key(place: ofWorker[worker], time: time)
      if let place = known[key] {
        ofWorker[worker] = place
        parted[Int(place)] += 1
        continue
      }
      let place = Int32(parted.count)
      known[key] = place
      ofWorker[worker] = place
      parted.append(1)
    }
    sizes = parted
    if sizes.count > times.count / 8 {
      ofWorker = times.indices.map { Int32($0) }
      sizes = Array(repeating: 1, count: times.count)
    }
  }
}
