import SimKernel

/// One named tensor of a gradient file.
public struct GradientTensor: Sendable, Equatable {
  public var name: String
  /// The extents; empty for a scalar.
  public var shape: [Int]
  /// Its first element among the values of the file.
  public var offset: Int
  /// The number of its elements.
  public var count: Int

  public init(name: String, shape: [Int], offset: Int, count: Int) {
    self.name = name
    self.shape = shape
    self.offset = offset
    self.count = count
  }
}

/// A gradient read from a file: named tensors over one flat array, row-major, in order.
///
/// Whatever the file's number format, the values are `Float`. Reading takes one copy of the values
/// and no more; single precision goes from the system straight into it.
public struct GradientFile: Sendable {
  /// The path, for messages.
  public var origin: String
  /// In the order of the values, without gaps.
  public var tensors: [GradientTensor]
  public var values: [Float]

  public init(origin: String, tensors: [GradientTensor], values: [Float]) {
    precondition(
      tensors.reduce(0) { $0 + $1.count } == values.count, "the tensors cover the values")
    self.origin = origin
    self.tensors = tensors
    self.values = values
  }

  /// The values of one tensor.
  public func values(of tensor: GradientTensor) -> ArraySlice<Float> {
    values[tensor.offset..<(tensor.offset + tensor.count)]
  }

  /// The tensors whose names begin with `prefix`, under the rest of their names; nil if there are none.
  ///
  /// For files that hold several steps or workers: `s03.w1.` selects one of each.
  public func selecting(prefix: String) -> GradientFile? {
    var tensors: [GradientTensor] = []
    var values: [Float] = []
    for tensor in self.tensors where tensor.name.hasPrefix(prefix) {
      tensors.append(
        GradientTensor(
          name: String(tensor.name.dropFirst(prefix.count)), shape: tensor.shape,
          offset: values.count, count: tensor.count))
      values += self.values(of: tensor)
    }
    return tensors.isEmpty
      ? nil : GradientFile(origin: origin, tensors: tensors, values: values)
  }

  /// Reads `path` by its extension: `.safetensors`, `.npy`, or raw little-endian single precision
  /// as `.bin`, `.f32` or `.raw`.
  ///
  /// A directory is the sequence of its `.npy` files, one tensor each, ordered by name with numbers
  /// compared as numbers.
  ///
  /// - Throws: ``InterchangeError`` for whatever the file holds; no content traps.
  public static func read(path: String) throws(InterchangeError) -> GradientFile {
    if InputFile.isDirectory(path) { return try NPY.readDirectory(path: path) }
    switch FileName.fileExtension(of: path) {
    case "safetensors": return try Safetensors.read(path: path)
    case "npy": return try NPY.read(path: path)
    case "bin", "f32", "raw": return try RawFloats.read(path: path)
    default: throw FileName.unknownExtension(path)
    }
  }

  /// Writes the gradient to `path` in the format of its extension, as ``read(path:)`` reads it.
  ///
  /// The formats without tensors keep the flat values only. The file appears whole or not at all.
  public func write(path: String) throws(InterchangeError) {
    switch FileName.fileExtension(of: path) {
    case "safetensors": try Safetensors.write(self, path: path)
    case "npy": try NPY.write(self, path: path)
    case "bin", "f32", "raw": try RawFloats.write(self, path: path)
    default: throw FileName.unknownExtension(path)
    }
  }
}

/// What a file's name tells.
enum FileName {
  /// The lower-case extension without its dot; empty if there is none.
  static func fileExtension(of path: String) -> String {
    let file = name(of: path)
    guard let dot = file.lastIndex(of: "."), dot > file.startIndex else { return "" }
    return file[file.index(after: dot)...].lowercased()
  }
  /// The file name without folders and extension.
  static func stem(of path: String) -> String {
    let file = name(of: path)
    guard let dot = file.lastIndex(of: "."), dot > file.startIndex else { return String(file) }
    return String(file[..<dot])
  }
  private static func name(of path: String) -> Substring {
    path.split(separator: "/").last ?? Substring(path)
  }
  static func unknownExtension(_ path: String) -> InterchangeError {
    let found = fileExtension(of: path)
    return InterchangeError(
      path: path, found: found.isEmpty ? "no extension" : "the extension .\(found)",
      expected: "gradients are read from .safetensors, .npy, .bin, .f32 and .raw")
  }
}
