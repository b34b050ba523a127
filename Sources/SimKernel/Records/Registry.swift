/// The members of one family - codecs, topologies, collectives, schedules - by name.
///
/// A registry is a value. Adding a member is one file, one line here and one test file; decoding,
/// `simnet list`, `explain`, the JSON Schema and completion follow by themselves.
public struct Registry<Value>: Sendable {
  /// One member: its name, one sentence, and how it is read.
  public struct Entry: Sendable {
    public var name: String
    public var summary: String
    public var make: @Sendable (inout FieldReader) -> Value
    public init(
      _ name: String, summary: String, make: @escaping @Sendable (inout FieldReader) -> Value
    ) {
      self.name = name
      self.summary = summary
      self.make = make
    }
  }

  /// What a member is called in messages: `codec`.
  public var noun: String
  /// The key that names the member in a scenario: `kind`, `codec`, `policy`.
  public var discriminator: String
  public var entries: [Entry]

  public init(noun: String, discriminator: String, entries: [Entry]) {
    self.noun = noun
    self.discriminator = discriminator
    self.entries = entries
  }

  /// The names in the order of registration.
  public var names: [String] { entries.map(\.name) }
  /// The member called `name`.
  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  /// Every member with its fields, as documentation needs it.
  public var descriptions: [RecordDescription] {
    entries.map { entry in
      RecordDescription.of(name: entry.name, summary: entry.summary) { _ = entry.make(&$0) }
    }
  }
}
