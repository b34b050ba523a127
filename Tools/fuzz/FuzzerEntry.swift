import CodecFuzzing
import Glibc

/// What libFuzzer calls with every input; `SIMNET_FUZZ_FAMILY` names the family.
private let fuzz: FuzzCase = {
  let name = getenv("SIMNET_FUZZ_FAMILY").map { String(cString: $0) } ?? ""
  guard let family = CodecFamily(rawValue: name) else {
    let names = CodecFamily.allCases.map(\.rawValue).joined(separator: ", ")
    fatalError("SIMNET_FUZZ_FAMILY must be one of \(names)")
  }
  return FuzzCase(family)
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    _ = try fuzz.run(Array(UnsafeBufferPointer(start: data, count: count)))
  } catch {
    fatalError("\(error)")
  }
  return 0
}
