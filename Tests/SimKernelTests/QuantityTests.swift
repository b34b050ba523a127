import SimKernel
import Testing

@Suite struct ByteCountTests {
  @Test func `named units are powers of ten or of two`() {
    #expect(ByteCount.kibibytes(3).bytes == 3_072)
    #expect(ByteCount.mebibytes(25).bytes == 26_214_400)
    #expect(ByteCount.megabytes(25).bytes == 25_000_000)
    #expect(ByteCount.bytes(4) + .bytes(5) - .bytes(1) == .bytes(8))
    #expect(ByteCount.bytes(4) * 3 == .bytes(12))
  }

  @Test func `bits are held by the fewest whole bytes`() {
    for bits in Int64(0)...70 {
      let bytes = ByteCount.holding(bits: bits).bytes
      #expect(bytes * 8 >= bits && bytes * 8 < bits + 8)
    }
  }

  @Test func `scaling rounds up to a byte`() {
    #expect(ByteCount(10).scaled(by: 0.25).bytes == 3)
    #expect(ByteCount(0).scaled(by: 0.25).bytes == 0)
    #expect(ByteCount(8).scaled(by: 0.5).bytes == 4)
  }

  @Test func `the shares of any cut add up to the whole`() {
    var random = RandomStream(seed: 21, purpose: RandomPurpose("shares"))
    for size in [0, 1, 2, 3, 4, 5, 100, 4_097, 1 << 40, .max] as [Int64] {
      for unit in [1, 2, 4, 8, 3] as [Int64] {
        for whole in [1, 2, 3, 7, 16, 1_000_003, 1 << 50] as [Int64] {
          let total = ByteCount(size)
          var position: Int64 = 0
          var sum: Int64 = 0
          for _ in 0..<20 {
            let left = whole - position
            if left == 0 { break }
            let end = position + Int64(random.index(below: Int(left) + 1))
            let share = total.share(position..<end, of: whole, unit: unit)
            #expect(share.bytes >= 0)
            sum += share.bytes
            position = end
          }
          sum += total.share(position..<whole, of: whole, unit: unit).bytes
          #expect(sum == size, "size \(size), unit \(unit), whole \(whole)")
        }
      }
    }
  }

  @Test func `equal shares differ by at most one unit and are cut between elements`() {
    for size in [400, 404, 1_000_000] as [Int64] {
      for ranks in Int64(1)...17 {
        let shares = (0..<ranks).map { rank in
          ByteCount(size).share(rank..<rank + 1, of: ranks, unit: 4).bytes
        }
        #expect(shares.reduce(0, +) == size)
        #expect(shares.max()! - shares.min()! <= 4)
        #expect(shares.allSatisfy { $0 % 4 == 0 })
      }
    }
  }

  @Test func `a slice of a slice is a slice`() {
    var algebra = ByteAlgebra(unit: 4)
    let whole = algebra.payload(of: ByteCount(4_000))
    let half = algebra.slice(whole, part: 0..<1, of: 2)
    let quarter = algebra.slice(half, part: 1..<2, of: 2)
    #expect(algebra.size(of: half) == ByteCount(2_000))
    #expect(algebra.size(of: quarter) == ByteCount(1_000))
    #expect(algebra.combine(half, with: quarter, at: RankID(0)) == half)
    #expect(algebra.combiningTime(of: half, with: quarter, at: RankID(0)) == .zero)
    let slow = ByteAlgebra(reductionRate: .bitsPerSecond(8))
    var copy = slow
    let byte = copy.payload(of: ByteCount(1))
    #expect(copy.combiningTime(of: byte, with: byte, at: RankID(0)) == .seconds(1))
  }

  @Test(
    arguments: [
      (0, "0 B"), (1, "1 B"), (1_024, "1 KiB"), (1_000, "1 kB"), (26_214_400, "25 MiB"),
      (25_000_000, "25 MB"), (3_000_000_000, "3 GB"), (1 << 31, "2 GiB"), (1_025, "1025 B"),
    ] as [(Int64, String)])
  func `the short form reads back as the same size`(bytes: Int64, text: String) throws {
    #expect(ByteCount(bytes).shortText == text)
    #expect(try QuantityText.parse(text, as: .size, option: "--size") == ByteCount(bytes))
  }
}

@Suite struct BandwidthTests {
  @Test func `a byte at 800 gigabits a second lasts ten picoseconds`() {
    #expect(Bandwidth.gigabitsPerSecond(800).time(toSend: ByteCount(1)) == .picoseconds(10))
    #expect(Bandwidth.gigabytesPerSecond(100) == .gigabitsPerSecond(800))
    #expect(Bandwidth.megabitsPerSecond(1).bitsPerSecond == 1_000_000)
    #expect(Bandwidth.gigabitsPerSecond(8).bytesPerPicosecond == 1e-3)
  }

  @Test func `a remainder is rounded up to a picosecond once`() {
    let slow = Bandwidth.bitsPerSecond(3)
    #expect(slow.time(toSend: ByteCount(1)) == .picoseconds(2_666_666_666_667))
    #expect(slow.time(toSend: ByteCount(3)) == .picoseconds(8_000_000_000_000))
    let quick = Bandwidth(bitsPerSecond: .max)
    #expect(quick.time(toSend: ByteCount(1)) == .picoseconds(1))
    #expect(quick.time(toSend: ByteCount(2_000_000)) == .picoseconds(2))
  }

  @Test func `nothing takes no time and a dead link never ends`() {
    #expect(Bandwidth(bitsPerSecond: 0).time(toSend: .zero) == .zero)
    #expect(Bandwidth(bitsPerSecond: 0).time(toSend: ByteCount(1)) == .unbounded)
    #expect(Bandwidth(bitsPerSecond: 1).time(toSend: .zero) == .zero)
  }

  @Test func `what lasts longer than 106 days is unbounded`() {
    #expect(Bandwidth(bitsPerSecond: 1).time(toSend: ByteCount(.max)) == .unbounded)
    #expect(Bandwidth(bitsPerSecond: 8).time(toSend: ByteCount(9_223_372)) < .unbounded)
    #expect(Bandwidth(bitsPerSecond: 8).time(toSend: ByteCount(9_223_373)) == .unbounded)
    // The product is (2^63 - 1) * 8e12, and the quotient 8e12 exactly.
    #expect(
      Bandwidth(bitsPerSecond: .max).time(toSend: ByteCount(.max))
        == .picoseconds(8_000_000_000_000))
  }

  /// The time is the least t with t * rate >= 8e12 * bytes, in 128-bit integers.
  @Test func `the time is exact for random sizes and rates`() {
    var random = RandomStream(seed: 22, purpose: RandomPurpose("bandwidth"))
    for _ in 0..<20_000 {
      let bytes = Int64(random.next() >> UInt64(1 + random.index(below: 62)))
      let rate = Int64(random.next() >> UInt64(1 + random.index(below: 62)))
      if bytes == 0 || rate == 0 { continue }
      let time = Bandwidth(bitsPerSecond: rate).time(toSend: ByteCount(bytes))
      let work = UInt128(bytes) * 8_000_000_000_000
      if time == .unbounded {
        #expect(UInt128(Int64.max - 1) * UInt128(rate) < work)
      } else {
        let t = UInt128(time.picoseconds)
        #expect(t * UInt128(rate) >= work)
        #expect((t - 1) * UInt128(rate) < work)
      }
    }
  }

  @Test(
    arguments: [
      (25_000_000_000, "25 Gbps"), (1_500_000, "1.5 Mbps"), (999, "999 bps"),
      (400_000_000_000, "400 Gbps"), (1_600_000_000_000, "1.6 Tbps"), (1_000, "1 Kbps"),
      (1_234_567_890, "1.23456789 Gbps"),
    ] as [(Int64, String)])
  func `the description reads back as the same rate`(rate: Int64, text: String) throws {
    #expect(Bandwidth(bitsPerSecond: rate).description == text)
    #expect(
      try QuantityText.parse(text, as: .bandwidth, option: "--rate")
        == Bandwidth(bitsPerSecond: rate))
  }

  @Test func `scaling rounds to the nearest bit`() {
    #expect(Bandwidth(bitsPerSecond: 10).scaled(by: 0.26).bitsPerSecond == 3)
    #expect(Bandwidth.gigabitsPerSecond(10).scaled(by: 0.94) == .gigabitsPerSecond(9.4))
  }
}

@Suite struct IdentifierTests {
  @Test func `ids of one kind order by number and print their kind`() {
    #expect(NodeID(3) < NodeID(4))
    #expect(LinkID(7).index == 7)
    #expect(RankID(2).description == "RankID(2)")
  }

  @Test func `transfers order by their sequence whatever their job`() {
    let early = TransferID(job: JobID(9), sequence: 1)
    let late = TransferID(job: JobID(0), sequence: 2)
    #expect(early < late)
  }
}
