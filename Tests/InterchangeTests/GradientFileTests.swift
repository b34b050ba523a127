import Foundation
import Interchange
import Testing

@Suite("Gradient files")
struct GradientFileTests {
  @Test("raw single precision is read by each of its extensions", arguments: ["bin", "f32", "RAW"])
  func raw(suffix: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.file("g." + suffix, bytes(of: Float(1.5)) + bytes(of: Float(-2)))
    let file = try GradientFile.read(path: path)
    #expect(file.values == [1.5, -2])
    #expect(file.tensors == [GradientTensor(name: "g", shape: [2], offset: 0, count: 2)])
    try file.write(path: folder.path("copy.f32"))
    #expect(try folder.bytes("copy.f32") == folder.bytes("g." + suffix))
  }

  @Test("raw files of other sizes are refused", arguments: [0, 1, 2, 3, 5, 7])
  func odd(size: Int) throws {
    let folder = try ScratchFolder()
    let path = try folder.file("g.bin", [UInt8](repeating: 0, count: size))
    #expect(failure(path).contains("\(size) bytes"))
  }

  @Test("missing, unknown and special files are errors that say why") func special() throws {
    let folder = try ScratchFolder()
    #expect(failure(folder.path("no.npy")).contains("No such file"))
    #expect(failure(try folder.file("g.txt", [])).contains("the extension .txt"))
    #expect(failure(try folder.file("g", [])).contains("no extension"))
    do throws(InterchangeError) {
      _ = try GradientFile.read(path: folder.path("no.bin"))
    } catch { #expect(error.kind == .system) }
    let gradient = GradientFile(origin: "x", tensors: [], values: [])
    #expect(throws: InterchangeError.self) {
      // A file where a folder would have to be.
      try gradient.write(path: folder.path("g.txt/g.npy"))
    }
    #expect(throws: InterchangeError.self) { try gradient.write(path: folder.path("g.csv")) }
  }

  @Test("an older file stays whole when writing fails") func whole() throws {
    let folder = try ScratchFolder()
    let path = try folder.file("g.f32", bytes(of: Float(1)))
    // A folder in the place of the partial file: it cannot be opened for writing.
    try FileManager.default.createDirectory(
      atPath: path + ".partial", withIntermediateDirectories: false)
    #expect(throws: InterchangeError.self) {
      try GradientFile(origin: "x", tensors: [], values: []).write(path: path)
    }
    #expect(try GradientFile.read(path: path).values == [1])
    #expect(folder.names == ["g.f32", "g.f32.partial"])
  }

  @Test(
    "values that are not finite are found and named",
    arguments: [
      (Float.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf"), (.signalingNaN, "nan"),
    ])
  func nonFinite(value: Float, text: String) throws {
    for count in [1, 2, 3, 65535, 65536, 65537, 200_000] {
      for position in Set([0, count / 2, count - 1]) {
        var values = [Float](repeating: 1, count: count + 1)
        values[position + 1] = value
        let file = GradientFile(
          origin: "g.npy",
          tensors: [
            GradientTensor(name: "a", shape: [1], offset: 0, count: 1),
            GradientTensor(name: "b", shape: [count], offset: 1, count: count),
          ], values: values)
        let found = try #require(file.firstNonFiniteValue())
        #expect(found.tensor == "b" && found.index == position)
        #expect(found.text == text && found.total == 1)
        do throws(InterchangeError) {
          try file.checkFinite()
          Issue.record("not found")
        } catch {
          #expect(
            error.description == "g.npy: \(text) at b[\(position)]; gradients are finite numbers")
        }
      }
    }
  }

  @Test("finite extremes are fine") func finite() throws {
    let values: [Float] = [
      0, -0.0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
    ]
    let tensor = GradientTensor(name: "a", shape: [5], offset: 0, count: 5)
    let file = GradientFile(origin: "g", tensors: [tensor], values: values)
    try file.checkFinite()
    #expect(file.firstNonFiniteValue() == nil)
  }

  @Test("an error is one line: where, what, what instead") func wording() {
    let error = InterchangeError(path: "g.npy", found: "x", expected: "y", byteOffset: 7)
    #expect(error.description == "g.npy, byte 7: x; y")
    #expect(InterchangeError(path: "g", found: "x", expected: "y").description == "g: x; y")
  }
}
