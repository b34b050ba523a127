/// What codecs that turn values into codes ask of a record and of a form.
extension Encoded {
  /// The number of values, whatever their type.
  var valueCount: Int { stream(.values)?.count ?? 0 }

  /// The values, which must be codes of `width` bits each.
  ///
  /// - Throws: `CodecError` if a damaged frame says otherwise.
  func packedValues(width: Int, for codec: String) throws(CodecError) -> PayloadStream {
    let stream = try require(.values, .packed, for: codec)
    guard Int(stream.parameter) == width else {
      throw CodecError(
        codec: codec, byteOffset: stream.offset, "codes of \(width) bits are needed")
    }
    return stream
  }

  /// The scales, `perScope` float32 numbers for every scope.
  ///
  /// - Throws: `CodecError` if a damaged frame has fewer or more.
  func scales(_ perScope: Int, for codec: String) throws(CodecError) -> UnsafePointer<Float> {
    let stream = try require(.scales, .float32, for: codec)
    guard stream.count == perScope * scopeCount else {
      throw CodecError(
        codec: codec, byteOffset: stream.offset,
        "\(stream.count) scales where \(scopeCount) scopes need \(perScope) each")
    }
    return stream.elements(as: Float.self)
  }
}

extension PayloadForm {
  /// The form after a codec that turns float32 values into codes which cannot be added.
  func gatheredCodes(of codec: String) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = requireFloats(for: codec) { return .failure(mismatch) }
    var result = self
    result.content = .codes
    result.aggregation = .gather
    result.maker = codec
    return .success(result)
  }

  /// The form after a codec whose codes add up under ranges that the workers agree on first.
  func summedCodes(of codec: String) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = requireFloats(for: codec) { return .failure(mismatch) }
    if aggregation == .gather {
      return .failure(
        FormMismatch(
          "\(codec) with shared_range sums codes but \(maker) leaves a payload that must be gathered;"
            + " leave shared_range out"))
    }
    var result = self
    result.content = .codes
    result.maker = codec
    return .success(result)
  }
}
