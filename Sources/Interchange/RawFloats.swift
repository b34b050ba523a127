/// Little-endian single precision without a header.
public enum RawFloats {
  /// Reads the whole file as one tensor named after it.
  ///
  /// - Throws: if the file is empty or its size is not a multiple of four bytes.
  public static func read(path: String) throws(InterchangeError) -> GradientFile {
    let file = try InputFile(path: path)
    guard file.size > 0, file.size % 4 == 0 else {
      throw InterchangeError(
        path: path, found: "\(file.size) bytes",
        expected: "raw single precision takes a multiple of 4, at least one element")
    }
    let count = file.size / 4
    let values = try [Float].filled(count: count) { buffer throws(InterchangeError) in
      try file.read(.float32, into: buffer, at: 0)
    }
    let tensor = GradientTensor(
      name: FileName.stem(of: path), shape: [count], offset: 0, count: count)
    return GradientFile(origin: path, tensors: [tensor], values: values)
  }

  /// Writes the flat values.
  public static func write(_ gradient: GradientFile, path: String) throws(InterchangeError) {
    let file = try OutputFile(path: path)
    try file.write(gradient.values)
    try file.finish()
  }
}
