import Interchange
import SimKernel
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
  private func data(_ values: [Float]) -> [UInt8] { values.flatMap { bytes(of: $0) } }

  @Test("what is written is read back, in order", arguments: [1, 2, 3, 17])
  func roundTrip(tensors: Int) throws {
    let folder = try ScratchFolder()
    var list: [GradientTensor] = []
    var values: [Float] = []
    for index in 0..<tensors {
      // Names in descending order: only the metadata keeps it; one tensor is empty, one a scalar.
      let shape = index == 0 ? [] : index == 2 ? [3, 0] : [index, 2]
      let count = shape.reduce(1, *)
      list.append(
        GradientTensor(
          name: "t\"\(100 - index)\u{E9}", shape: shape, offset: values.count, count: count))
      values += (0..<count).map { Float($0) * 0.5 - Float(index) }
    }
    let gradient = GradientFile(origin: "x", tensors: list, values: values)
    try gradient.write(path: folder.path("g.safetensors"))
    let copy = try GradientFile.read(path: folder.path("g.safetensors"))
    #expect(copy.tensors == list)
    #expect(copy.values == values)
    #expect(folder.names == ["g.safetensors"])
  }

  @Test("without an order the data's order counts") func fileOrder() throws {
    let folder = try ScratchFolder()
    let header = """
      {"a": {"dtype":"F32","shape":[1],"data_offsets":[8,12]},
       "z": {"dtype":"F32","shape":[2],"data_offsets":[0,8]}}
      """
    let path = try folder.file("f.safetensors", safetensors(header, data([1, 2, 3])))
    let file = try GradientFile.read(path: path)
    #expect(file.tensors.map(\.name) == ["z", "a"])
    #expect(file.values == [1, 2, 3])
  }

  @Test("the order of the metadata counts") func metadataOrder() throws {
    let folder = try ScratchFolder()
    let header = """
      {"__metadata__": {"who":"me","order":"[\\"a\\", \\"z\\"]"},
       "a": {"dtype":"F32","shape":[1],"data_offsets":[8,12]},
       "z": {"dtype":"F32","shape":[2],"data_offsets":[0,8]}}
      """
    let path = try folder.file("f.safetensors", safetensors(header, data([1, 2, 3])))
    let file = try GradientFile.read(path: path)
    #expect(file.tensors.map(\.name) == ["a", "z"])
    #expect(file.values == [3, 1, 2])
    #expect(file.values(of: file.tensors[1]) == [1, 2])
  }

  @Test("one order holds for every prefix, in the order of the data") func prefixes() throws {
    let folder = try ScratchFolder()
    let header = """
      {"__metadata__": {"order":"[\\"z\\", \\"a.b\\"]"},
       "w1.a.b": {"dtype":"F32","shape":[1],"data_offsets":[0,4]},
       "w1.z": {"dtype":"F32","shape":[1],"data_offsets":[4,8]},
       "w0.z": {"dtype":"F32","shape":[1],"data_offsets":[8,12]},
       "w0.a.b": {"dtype":"F32","shape":[1],"data_offsets":[12,16]}}
      """
    let path = try folder.file("f.safetensors", safetensors(header, data([1, 2, 3, 4])))
    let file = try GradientFile.read(path: path)
    #expect(file.tensors.map(\.name) == ["w1.z", "w1.a.b", "w0.z", "w0.a.b"])
    #expect(file.values == [2, 1, 3, 4])
    let one = try #require(file.selecting(prefix: "w0."))
    #expect(one.tensors.map(\.name) == ["z", "a.b"])
    #expect(one.tensors.map(\.offset) == [0, 1])
    #expect(one.values == [3, 4])
    #expect(file.selecting(prefix: "w2.") == nil)
  }

  @Test("every floating-point type becomes single precision") func types() throws {
    let folder = try ScratchFolder()
    let header = """
      {"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},
       "b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},
       "c":{"dtype":"F16","shape":[2],"data_offsets":[20,24]},
       "d":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]}}
      """
    let body =
      bytes(of: 0.1) + bytes(of: -2.5) + bytes(of: Float(3.25))
      + bytes(of: Float16(0.5)) + bytes(of: Float16(65504)) + [0x80, 0x3F] + [0x40, 0xC0]
    let path = try folder.file("f.safetensors", safetensors(header, body))
    let file = try GradientFile.read(path: path)
    #expect(file.values == [Float(0.1), -2.5, 3.25, 0.5, 65504, 1, -3])
  }

  @Test("more elements than a conversion buffer holds are read") func large() throws {
    let folder = try ScratchFolder()
    let count = 1_300_001
    let header =
      "{\"a\":{\"dtype\":\"BF16\",\"shape\":[\(count)],\"data_offsets\":[0,\(count * 2)]}}"
    var body: [UInt8] = []
    for index in 0..<count { body += bytes(of: UInt16(truncatingIfNeeded: index) & 0x3FFF) }
    let path = try folder.file("f.safetensors", safetensors(header, body))
    let file = try GradientFile.read(path: path)
    var wrong = 0
    for index in 0..<count
    where file.values[index].bitPattern != UInt32(UInt16(truncatingIfNeeded: index) & 0x3FFF) << 16
    {
      wrong += 1
    }
    #expect(wrong == 0)
  }

  @Test(
    "each fault is named",
    arguments: [
      ("{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "type I64"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, "3 bytes of data"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "1 bytes after"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "8 bytes"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "4..<0"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "whole number"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "whole number"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "not described in full"),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4,
        "far more"
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
          + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", 6, "overlaps"
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "belong to no tensor"
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
          + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "given twice"
      ),
      ("{}", 0, "no tensors"),
      ("{\"__metadata__\":{}}", 0, "no tensors"),
      ("[]", 0, "not JSON"),
      ("{\"a\":", 0, "not JSON"),
      (
        "{\"__metadata__\":{\"order\":\"[\\\"a\\\",\\\"b\\\"]\"},"
          + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
        "names \"b\", which"
      ),
      (
        "{\"__metadata__\":{\"order\":\"[\\\"a\\\",\\\"a\\\"]\"},"
          + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
        "names \"a\" twice"
      ),
      (
        "{\"__metadata__\":{\"order\":\"[]\"},"
          + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "leaves out \"a\""
      ),
      (
        "{\"__metadata__\":{\"order\":\"a, b\"},"
          + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
        "not a list of names"
      ),
    ])
  func faults(header: String, size: Int, message: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.file(
      "f.safetensors", safetensors(header, [UInt8](repeating: 0, count: size)))
    let found = failure(path)
    #expect(found.contains(message), "\(found)")
    #expect(found.hasPrefix(path) && !found.contains("\n"))
  }

  @Test("a header longer than the file is refused") func length() throws {
    let folder = try ScratchFolder()
    for length in [UInt64.max, 1 << 63, 9, 1 << 40] {
      let path = try folder.file("f.safetensors", bytes(of: length) + Array("{}".utf8))
      #expect(failure(path).contains("a header of \(length) bytes"))
    }
  }

  @Test("every cut of a file is an error") func truncation() throws {
    let folder = try ScratchFolder()
    let whole = sample()
    for end in 0..<whole.count {
      let path = try folder.file("t.safetensors", Array(whole[..<end]))
      #expect(!failure(path).isEmpty)
    }
    let path = try folder.file("t.safetensors", whole)
    #expect(try GradientFile.read(path: path).values == [1, 2, 3])
  }

  @Test("damaged bytes are read or refused, never a trap") func damage() throws {
    let folder = try ScratchFolder()
    let whole = sample()
    var random = RandomStream(seed: 5, purpose: RandomPurpose("damage"))
    for _ in 0..<1500 {
      var copy = whole
      for _ in 0..<(1 + random.index(below: 4)) {
        copy[random.index(below: copy.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      let path = try folder.file("d.safetensors", copy)
      if let file = try? GradientFile.read(path: path) {
        #expect(file.tensors.reduce(0) { $0 + $1.count } == file.values.count)
      }
    }
  }

  private func sample() -> [UInt8] {
    let header = """
      {"__metadata__":{"order":"[\\"b\\",\\"a\\"]"},"a":{"dtype":"F32","shape":[2],\
      "data_offsets":[4,12]},"b":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}
      """
    return safetensors(header, data([1, 2, 3]))
  }

  @Test("recorded gradients are read in their order", .enabled(if: sharedGradients != nil))
  func shared() throws {
    let folder = try #require(sharedGradients)
    for model in ["mlp-digits", "resnet8-digits", "chargpt", "wordemb"] {
      let tensors = try GradientFile.read(path: "\(folder)/\(model).middle.w0.safetensors")
      let flat = try GradientFile.read(path: "\(folder)/\(model).middle.w0.npy")
      #expect(tensors.values == flat.values)
      #expect(flat.tensors.count == 1)
      try tensors.checkFinite()
    }
    let mlp = try GradientFile.read(path: "\(folder)/mlp-digits.late.w3.safetensors")
    #expect(mlp.tensors.map(\.name).first == "fc1.weight")
    #expect(mlp.tensors[0].shape == [128, 64])
    #expect(mlp.values.count == 17226)
    let steps = try GradientFile.read(path: "\(folder)/mlp-tiny.sequence.safetensors")
    #expect(steps.values.count == 2130 * 16 * 4)
    #expect(steps.tensors[0].name == "s00.w0.fc1.weight")
    let last = try #require(steps.selecting(prefix: "s15.w3."))
    #expect(last.tensors.map(\.name).last == "fc3.bias")
    #expect(last.values.count == 2130)
  }
}
