/// The sizes of the types that PyTorch's traces name, in either of its spellings.
enum ElementType {
  /// Bytes of an element called `name`, such as `float`, `Float`, `long int` or `c10::BFloat16`;
  /// nil if it is none that is known.
  static func width(of name: String) -> Int? {
    var name = name.lowercased()
    if name.hasPrefix("c10::") { name.removeFirst(5) }
    switch name {
    case "double", "float64", "long", "long int", "int64", "uint64", "complexfloat",
      "complex<float>":
      return 8
    case "float", "float32", "int", "int32", "uint32": return 4
    case "half", "float16", "bfloat16", "short", "short int", "int16", "uint16": return 2
    case "byte", "char", "bool", "int8", "uint8", "unsigned char", "signed char", "float8_e4m3fn",
      "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz":
      return 1
    case "complexdouble", "complex<double>": return 16
    default: return nil
    }
  }
}
