/// NumPy's `.npy`: a magic string, a version, a Python dictionary as header, then the elements.
///
/// Format: numpy.lib.format, versions 1.0, 2.0 and 3.0. Little-endian floating point in C order is
/// read (`<f8`, `<f4`, `<f2`); other byte orders, types and Fortran order are refused with what to do.
public enum NPY {
  /// Reads the array as one tensor named after the file.
  public static func read(path: String) throws(InterchangeError) -> GradientFile {
    let file = try InputFile(path: path)
    let header = try NPYHeader(of: file)
    let values = try [Float].filled(count: header.count) { buffer throws(InterchangeError) in
      try file.read(header.format, into: buffer, at: header.dataStart)
    }
    let tensor = GradientTensor(
      name: FileName.stem(of: path), shape: header.shape, offset: 0, count: header.count)
    return GradientFile(origin: path, tensors: [tensor], values: values)
  }

  /// Reads every `.npy` of a folder as one tensor, ordered by name with numbers compared as numbers,
  /// so that `grad_2` comes before `grad_10`.
  public static func readDirectory(path: String) throws(InterchangeError) -> GradientFile {
    let names = try DirectoryListing.names(in: path)
      .filter { FileName.fileExtension(of: $0) == "npy" }
      .sorted { DirectoryListing.precedes($0, $1) }
    if names.isEmpty {
      throw InterchangeError(
        path: path, found: "a folder without .npy files", expected: "one file a tensor")
    }
    // Headers first, so that the values take one array and one copy.
    var headers: [NPYHeader] = []
    var tensors: [GradientTensor] = []
    var total = 0
    for name in names {
      let header = try NPYHeader(of: InputFile(path: path + "/" + name))
      tensors.append(
        GradientTensor(
          name: FileName.stem(of: name), shape: header.shape, offset: total, count: header.count))
      headers.append(header)
      total += header.count
    }
    let values = try [Float].filled(count: total) { buffer throws(InterchangeError) in
      for index in names.indices {
        let file = try InputFile(path: path + "/" + names[index])
        let tensor = tensors[index]
        // In bounds: the tensors follow one another up to the total.
        let part = UnsafeMutableBufferPointer(
          rebasing: buffer[tensor.offset..<(tensor.offset + tensor.count)])
        try file.read(headers[index].format, into: part, at: headers[index].dataStart)
      }
    }
    return GradientFile(origin: path, tensors: tensors, values: values)
  }

  /// Writes version 1.0: a single tensor in its shape, several as one flat array.
  public static func write(_ gradient: GradientFile, path: String) throws(InterchangeError) {
    let shape = gradient.tensors.count == 1 ? gradient.tensors[0].shape : [gradient.values.count]
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    // Magic, version, length and header together are a multiple of 64 and end in a line feed.
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    guard let length = UInt16(exactly: header.utf8.count) else {
      throw InterchangeError(
        path: path, found: "a shape of \(shape.count) extents", expected: "a shorter shape")
    }
    var head: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    head += [UInt8(length & 0xFF), UInt8(length >> 8)] + Array(header.utf8)
    let file = try OutputFile(path: path)
    try file.write(head)
    try file.write(gradient.values)
    try file.finish()
  }
}
