import SimKernel

/// Fuzzes without a fuzzer: cases drawn at random and mutations of those that reached a codec.
///
/// Stands in for libFuzzer where its sanitizer is not available, and runs in the test suite. The
/// same family, seed and count give the same cases on every machine.
public struct MutationLoop {
  private let fuzz: FuzzCase
  private var random: RandomStream
  /// Cases worth changing; old ones are replaced at random.
  private var corpus: [[UInt8]] = []
  /// Cases run.
  public private(set) var executions = 0
  /// Cases among them that reached a codec.
  public private(set) var effective = 0
  /// The case that is running or ran last: what to keep when the process dies.
  public private(set) var current: [UInt8] = []

  public init(_ family: CodecFamily, seed: UInt64) {
    fuzz = FuzzCase(family)
    random = RandomStream(seed: seed, purpose: RandomPurpose("codec fuzzing"))
  }

  /// Draws the next case without running it.
  public mutating func draw() {
    if corpus.isEmpty || random.index(below: 4) == 0 {
      current = bytes(1 + random.index(below: random.index(below: 8) == 0 ? 600 : 60))
      return
    }
    current = corpus[random.index(below: corpus.count)]
    for _ in 0...random.index(below: 4) {
      let place = random.index(below: current.count)
      switch random.index(below: 6) {
      case 0: current[place] ^= UInt8(1 << random.index(below: 8))
      case 1: current[place] = UInt8(truncatingIfNeeded: random.next())
      case 2: current[place] = [0, 1, 127, 128, 255][random.index(below: 5)]
      case 3: current.insert(contentsOf: bytes(1 + random.index(below: 8)), at: place)
      case 4 where current.count > 1:
        current.removeSubrange(
          place..<min(current.count, place + 1 + random.index(below: 8)))
        if current.isEmpty { current = [0] }
      default: current[place] &+= 1
      }
    }
  }

  /// Runs the case drawn last.
  ///
  /// - Throws: the broken promise.
  public mutating func runCurrent() throws(FuzzCase.Finding) {
    executions += 1
    guard try fuzz.run(current) else { return }
    effective += 1
    if corpus.count < 256 {
      corpus.append(current)
    } else {
      corpus[random.index(below: corpus.count)] = current
    }
  }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }
}
