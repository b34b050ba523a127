import Interchange
import SimKernel
import Testing

@Suite("NPY")
struct NPYTests {
  private func body(_ count: Int) -> [UInt8] { (0..<count).flatMap { bytes(of: Float($0)) } }

  @Test("versions 1, 2 and 3 are read", arguments: [1, 2, 3] as [UInt8])
  func versions(version: UInt8) throws {
    let folder = try ScratchFolder()
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n"
    let path = try folder.file("grad.x.npy", npy(header, body(6), version: version))
    let file = try GradientFile.read(path: path)
    #expect(file.tensors == [GradientTensor(name: "grad.x", shape: [2, 3], offset: 0, count: 6)])
    #expect(file.values == [0, 1, 2, 3, 4, 5])
  }

  @Test("doubles and halves are converted, scalars and empty arrays are arrays") func types() throws
  {
    let folder = try ScratchFolder()
    let wide = npy(
      "{'descr':'<f8','fortran_order':False,'shape':(2,)}", bytes(of: 0.1) + bytes(of: 4.0))
    #expect(try GradientFile.read(path: folder.file("a.npy", wide)).values == [Float(0.1), 4])
    let half = npy("{'descr':'<f2','fortran_order':False,'shape':()}", bytes(of: Float16(1.5)))
    let scalar = try GradientFile.read(path: folder.file("b.npy", half))
    #expect(scalar.values == [1.5] && scalar.tensors[0].shape == [])
    let empty = npy("{'descr':'<f4','fortran_order':False,'shape':(3,0)}", [])
    #expect(try GradientFile.read(path: folder.file("c.npy", empty)).values == [])
    // One long extent is the same in both orders.
    let column = npy("{'descr':'<f4','fortran_order':True,'shape':(1L, 3L)}", body(3))
    #expect(try GradientFile.read(path: folder.file("d.npy", column)).values == [0, 1, 2])
  }

  @Test(
    "what is written is read back and aligned", arguments: [[], [0], [1], [5], [2, 3], [7, 1, 9]])
  func roundTrip(shape: [Int]) throws {
    let folder = try ScratchFolder()
    let count = shape.reduce(1, *)
    let values = (0..<count).map { Float($0) * -0.25 }
    let tensor = GradientTensor(name: "g", shape: shape, offset: 0, count: count)
    let gradient = GradientFile(origin: "x", tensors: [tensor], values: values)
    try gradient.write(path: folder.path("g.npy"))
    let copy = try GradientFile.read(path: folder.path("g.npy"))
    #expect(copy.tensors == [tensor] && copy.values == values)
    let whole = try folder.bytes("g.npy")
    #expect((whole.count - count * 4) % 64 == 0)
  }

  @Test(
    "each fault is named",
    arguments: [
      ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4, "big-endian"),
      ("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", 4, "the type '<i4'"),
      ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 4, "the type '|O'"),
      ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "not a dictionary"),
      ("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16, "ascontiguousarray"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 4, "8 bytes"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 5, "5 bytes of data"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, "not a dictionary"),
      (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 4,
        "far more"
      ),
      (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 4,
        "not a dictionary"
      ),
      ("{'descr': '<f4', 'fortran_order': False}", 4, "not a dictionary"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, "not a dictionary"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, "not a dictionary"),
      ("", 4, "not a dictionary"),
    ])
  func faults(header: String, size: Int, message: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.file("f.npy", npy(header, [UInt8](repeating: 0, count: size)))
    let found = failure(path)
    #expect(found.contains(message), "\(found)")
    #expect(!found.contains("\n"))
  }

  @Test("other magic, versions and lengths are refused") func head() throws {
    let folder = try ScratchFolder()
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
    #expect(
      failure(try folder.file("f.npy", npy(header, body(1), version: 4))).contains("version 4"))
    var other = npy(header, body(1))
    other[1] = 0
    #expect(failure(try folder.file("f.npy", other)).contains("\\x93NUMPY"))
    var long = npy(header, body(1))
    long[9] = 0xFF
    #expect(failure(try folder.file("f.npy", long)).contains("fits the file"))
  }

  @Test("every cut is an error and no damage traps", arguments: [1, 2] as [UInt8])
  func damage(version: UInt8) throws {
    let folder = try ScratchFolder()
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n"
    let whole = npy(header, body(2), version: version)
    for end in 0..<whole.count {
      #expect(!failure(try folder.file("t.npy", Array(whole[..<end]))).isEmpty)
    }
    var random = RandomStream(seed: 6, purpose: RandomPurpose("damage"))
    for _ in 0..<1000 {
      var copy = whole
      for _ in 0..<(1 + random.index(below: 4)) {
        copy[random.index(below: copy.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      if let file = try? GradientFile.read(path: try folder.file("d.npy", copy)) {
        #expect(file.tensors[0].count == file.values.count)
      }
    }
  }

  @Test("a folder of arrays is a gradient, numbers in their order") func directory() throws {
    let folder = try ScratchFolder()
    #expect(failure(folder.path).contains("without .npy files"))
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
    for (name, value) in [("g_10", 10), ("g_2", 2), ("g_1", 1), ("a", 0), ("g_02", 3)] {
      _ = try folder.file(name + ".npy", npy(header, bytes(of: Float(value))))
    }
    _ = try folder.file("notes.txt", [1, 2, 3])
    let file = try GradientFile.read(path: folder.path)
    #expect(file.tensors.map(\.name) == ["a", "g_1", "g_02", "g_2", "g_10"])
    #expect(file.values == [0, 1, 3, 2, 10])
    #expect(file.tensors.map(\.offset) == [0, 1, 2, 3, 4])
    _ = try folder.file("z.npy", [])
    #expect(failure(folder.path).contains("z.npy"))
  }
}
