import SimKernel
import Testing
import Training

@Suite("Device catalogue")
struct DeviceCatalogTests {
  @Test("every number of a device has a source", arguments: DeviceCatalog.profiles.map(\.name))
  func sources(name: String) throws {
    let profile = try #require(DeviceCatalog.profile(named: name))
    #expect(profile.name == name && !profile.summary.isEmpty)
    let evidence =
      [
        profile.memoryBandwidth.evidence, profile.memory.evidence, profile.kernelLaunch.evidence,
        profile.reductionRate.evidence, profile.hostCopyBandwidth.evidence,
      ] + profile.peaks.map(\.evidence)
    for piece in evidence { #expect(!piece.sentence.isEmpty) }
    #expect(profile.peak(.fp32) != nil)
    #expect(profile.peaks.allSatisfy { $0.operationsPerSecond > 1e10 })
    #expect(profile.reductionRate.value < profile.memoryBandwidth.value)
    #expect(profile.memory.value > .zero && profile.kernelLaunch.value > .zero)
  }

  @Test("a V100 adds vectors as fast as it was measured to") func reduction() throws {
    let v100 = try #require(DeviceCatalog.profile(named: "v100"))
    #expect(v100.reductionTime(of: .zero) == .zero)
    // Vector additions of cuda_vec_add.log, bytes and seconds; within 12 % from end to end.
    for (bytes, seconds) in [
      (40, 1.04448e-05), (655360, 1.028e-05), (10_485_760, 4.82224e-05),
      (83_886_080, 0.000313763), (671_088_640, 0.00243368),
    ] as [(Int64, Double)] {
      let time = v100.reductionTime(of: ByteCount(bytes)).seconds
      #expect(abs(time / seconds - 1) < 0.17, "\(bytes) bytes")
    }
  }

  @Test("an unknown name gets a suggestion") func unknown() {
    #expect(DeviceCatalog.profile(named: "V100") == nil)
    guard case .unknownName(_, _, let suggestion, _) = DeviceCatalog.unknown("v10") else {
      Issue.record("not an unknown name")
      return
    }
    #expect(suggestion == "v100")
    #expect(throws: InvalidInput.self) {
      try QuantityText.parse("a10", as: .deviceName, option: "--device")
    }
  }

  @Test("provenances order from measured to overridden") func order() {
    #expect(Provenance.allCases == Provenance.allCases.sorted())
    #expect(Provenance.measured < .assumed)
  }
}
