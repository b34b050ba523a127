import SimKernel
import Testing
import Training

@Suite("A user's model table")
struct ModelTableParsingTests {
  private func messages(_ text: String) -> String {
    do throws(InvalidInput) {
      _ = try ModelTable.parse(text, origin: "my.csv")
      return ""
    } catch { return error.description }
  }

  @Test("names and shapes are enough") func smallest() throws {
    let table = try ModelTable.parse(
      "tensor,shape\nfc1.weight,128x64\nfc1.bias,128\nfc2.weight,10x128\n", origin: "a/net.csv")
    #expect(table.name == "net")
    #expect(table.tensors.map(\.elements) == [8192, 128, 1280])
    #expect(table.tensors.map(\.layer) == ["fc1", "fc1", "fc2"])
    #expect(table.tensors.map(\.layerIndex) == [0, 0, 1])
    #expect(table.parameters == 9600)
    #expect(table.measuredBatch == nil)
  }

  @Test("names and element counts are enough, too") func counts() throws {
    let table = try ModelTable.parse("name,numel\r\nw,5\r\n\r\n", origin: "x")
    #expect(table.tensors[0].shape == [5])
    #expect(table.tensors[0].layer == "w")
  }

  @Test("settings, quotes and times are read") func full() throws {
    let table = try ModelTable.parse(
      """
      # name: two
      # batch: 32
      # made by hand
      tensor,layer,kind,shape,macs,forward_ms,backward_us,executed
      w1,"a,b",Linear,2x3,6,1.5,2500,1
      b1,"a,b",Linear,2,1,,100,1
      w2,c,"Li""near",4,8,0.5,700,0
      """, origin: "t.csv")
    #expect(table.name == "two")
    #expect(table.measuredBatch == 32)
    #expect(table.tensors.map(\.forwardMACs) == [7, 0, 8])
    #expect(table.tensors.map(\.layer) == ["a,b", "a,b", "c"])
    #expect(table.tensors[2].kind == "Li\"near")
    #expect(!table.tensors[2].isExecuted)
    #expect(table.tensors[0].times?.forward == .milliseconds(1.5))
    #expect(table.tensors[1].times?.forward == nil)
    let device = try #require(DeviceCatalog.profile(named: "v100"))
    let times = device.computeTimes(model: table, batch: 32, precision: .fp32)
    #expect(times.forward == .milliseconds(2))
    #expect(times.backward == .microseconds(3300))
    #expect(
      times.readyOffsets == [.microseconds(3300), .microseconds(800), .microseconds(700)])
    #expect(times.backwardEvidence.provenance == .measured)
    #expect(times.warnings.isEmpty)
    let double = device.computeTimes(model: table, batch: 64, precision: .fp32)
    #expect(double.forward == .milliseconds(4))
    #expect(double.warnings.count == 1)
  }

  @Test("JSON of the same form is read") func json() throws {
    let table = try ModelTable.parse(
      """
      {"format": "simnet-model-table/1", "name": "j", "parameters": 6,
       "tensors_forward_order": [{"tensor": "w", "shape": [2, 3], "fwd_macs_per_sample": 6}]}
      """, origin: "j.json")
    #expect(table.tensors[0].shape == [2, 3])
    #expect(table.forwardMACsPerSample == 6)
  }

  @Test(
    "a carried table survives being written as CSV and read back", arguments: ["vgg16", "resnet18"])
  func roundTrip(name: String) throws {
    let table = try #require(ModelCatalog.table(named: name))
    var text = "# name: \(name)\ntensor,layer,kind,shape,macs,activation_elements\n"
    for tensor in table.tensors {
      let shape = tensor.shape.map(String.init).joined(separator: "x")
      text +=
        "\(tensor.name),\(tensor.layer),\(tensor.kind),\(shape),\(tensor.forwardMACs),"
        + "\(tensor.activationElements)\n"
    }
    let copy = try ModelTable.parse(text, origin: "copy.csv")
    #expect(copy.tensors == table.tensors)
    #expect(copy.modelClass == table.modelClass)
  }

  @Test(
    "each fault is named with its place",
    arguments: [
      ("", "no tensors"),
      ("tensor,shape\n", "no tensors"),
      ("tensor,shpae\nw,3\n", "did you mean \"shape\"?"),
      ("tensor,shape\nw,3x-1\n", "my.csv:2:3"),
      ("tensor,shape\nw,3xx2\n", "my.csv:2:3"),
      ("tensor,shape\nw,99999999x99999999x9\n", "at most"),
      ("tensor,shape,numel\nw,3x2,7\n", "the shape has 6"),
      ("tensor,shape\nw,3,4\n", "3 cells"),
      ("tensor,shape\nw,3\nw,4\n", "given twice"),
      ("tensor,tensor,shape\nw,w,3\n", "given twice"),
      ("tensor,macs\nw,3\n", "a shape or a number of elements"),
      ("shape\n3\n", "a name"),
      ("tensor,shape,ready_ms\nw,3,1\n", "batch"),
      ("# batch: 0\ntensor,shape\nw,3\n", "my.csv:1:1"),
      ("# batch: 8\ntensor,shape,ready_ms\na,3,1\nb,3,2\n", "from the last tensor to the first"),
      ("# batch: 8\ntensor,shape,ready_ms\na,3,\nb,3,2\n", "a ready time"),
      ("# batch: 8\ntensor,shape,backward_ms\na,3,nan\n", "my.csv:4:5"),
      ("# batch: 8\ntensor,shape,backward_ms\na,3,-1\n", "found -1, expected"),
      ("{\"tensors_forward_order\": [", "my.csv:1"),
      ("{\"format\": \"other/2\", \"tensors_forward_order\": []}", "other/2"),
      (
        "{\"parameters\": 5, \"tensors_forward_order\": [{\"name\": \"w\", \"numel\": 4}]}",
        "4 elements"
      ),
    ])
  func faults(text: String, message: String) {
    let found = messages(text)
    #expect(found.contains(message == "my.csv:4:5" ? "my.csv:3:5" : message), "\(found)")
  }

  @Test("huge counts are refused, not overflowed") func overflow() {
    let rows = (0..<9000).map { "t\($0),1,1125899906842624" }.joined(separator: "\n")
    #expect(messages("tensor,numel,activation_elements\n" + rows).contains("at most"))
    #expect(messages("tensor,numel\na,1125899906842624\nb,1\n").contains("at most"))
  }

  @Test("no cut and no damaged byte of a table traps") func damage() throws {
    let text = Array(
      "# batch: 8\ntensor,layer,shape,macs,ready_ms\na.w,\"l,1\",3x2,6,2\nb.w,b,4,4,1\n".utf8)
    for end in 0...text.count {
      _ = messages(String(decoding: text[..<end], as: UTF8.self))
    }
    var random = RandomStream(seed: 11, purpose: RandomPurpose("damage"))
    for _ in 0..<2000 {
      var copy = text
      for _ in 0..<3 {
        copy[random.index(below: copy.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = messages(String(decoding: copy, as: UTF8.self))
    }
  }
}
