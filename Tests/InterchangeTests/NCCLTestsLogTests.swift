import Interchange
import SimKernel
import Testing

/// Logs of nccl-tests, in both layouts and with what else gets into them.
@Suite struct NCCLTestsLogTests {
  private let old = """
    # nThread 1 nGpus 2 minBytes 4 maxBytes 8 step: 2(factor) warmup iters: 5 iters: 20
    # Using devices
    #   Rank  0 Pid 7 on host device  0 [0x00] some GPU
    #   Rank  1 Pid 7 on host device  1 [0x00] some GPU
    #       size         count    type   redop     time   algbw   busbw  error     time   algbw
    host:7:7 [0] NCCL INFO Launch mode Parallel
               0             0   float     sum    35.20    0.00    0.00    N/A    34.05    0.00    0.00    N/A
            1024           256   float     sum    50.00    2.00    3.00  1e-07    40.00    2.50    3.75    N/A
            2048           512   float             60.00    4.00    2.00    N/A    61.00    4.00    2.00    N/A
    # Out of bounds values : 0 OK
    # Avg bus bandwidth    : 3.0
    """
  private let new = """
    #       size         count      type   redop    root     time   algbw   busbw #wrong     time
            1024           256     float     sum      -1    50.00    2.00    3.50      0    40.00    2.50    4.38      0
     17179869184    4294967296     float     sum      -1    66132  259.78  487.09      0    66109  259.87  487.26      0
            4096          1024      int8    none       0    12.50    2.00    2.00    N/A
    """

  @Test func theOldLayoutIsRead() {
    let log = NCCLTestsLog(text: old)
    #expect(log.ranks == 2)
    #expect(log.rows.map(\.size.bytes) == [0, 1024, 2048])
    #expect(log.rows[1].times == [50e-6, 40e-6])
    #expect(log.rows[1].busFactor == 1.5)
    #expect(log.rows[0].busFactor == nil)
    // Without a reduction the column is empty.
    #expect(log.rows[2].times == [60e-6, 61e-6] && log.rows[2].busFactor == 0.5)
  }

  @Test func aLogThatIsThereTwiceHasTheRanksOfOne() {
    let log = NCCLTestsLog(text: old + "\n" + old)
    #expect(log.ranks == 2 && log.rows.count == 6)
  }

  @Test func theNewLayoutIsRead() {
    let log = NCCLTestsLog(text: new)
    #expect(log.ranks == nil)
    #expect(log.rows.map(\.size.bytes) == [1024, 17_179_869_184, 4096])
    #expect(log.rows[1].times == [66132 / 1e6, 66109 / 1e6])
    // One group of columns is out of place.
    #expect(log.rows[2].times == [12.5e-6])
  }

  @Test func whatIsNoRowIsSkipped() {
    for line in [
      "", "1024", "1024 256 float", "x 256 float sum -1 50.0 2.0 3.5 0",
      "1024 256 float sum -1 nan 2.0 3.5 0", "1024 256 float sum -1 -5 2.0 3.5 0",
      "1024 256 7 8 9 10 11 12 13", "-1 256 float sum -1 50.0 2.0 3.5 0",
      "99999999999999999999 1 float sum -1 50.0 2.0 3.5 0",
    ] {
      #expect(NCCLTestsLog(text: line).rows.isEmpty, "\(line)")
    }
    #expect(NCCLTestsLog(text: old.replacing("\n", with: "\r\n")).rows.count == 3)
  }

  @Test func everyTruncationIsReadWithoutHarm() {
    let bytes = Array(new.utf8)
    for end in bytes.indices {
      let log = NCCLTestsLog(text: String(decoding: bytes[..<end], as: UTF8.self))
      #expect(log.rows.count <= 3)
    }
  }

  @Test func aFileWithoutRowsIsNamed() throws {
    #expect(throws: InterchangeError.self) { try NCCLTestsLog(path: "/no/such/log") }
    #expect(throws: InterchangeError.self) { try NCCLTestsLog(path: "/dev/null") }
    #expect(throws: InterchangeError.self) { try NCCLTestsLog(path: #filePath + ".none") }
  }
}
