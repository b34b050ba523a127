import Experiments
import SimKernel

extension AnswerTable {
  /// The table as HTML: the first column heads its rows, numbers carry their exact value where fewer
  /// digits are shown.
  ///
  /// - Parameters:
  ///   - identifier: of the element; empty for none.
  ///   - caption: read aloud before the table, and shown over it.
  func html(identifier: String = "", caption: String, into page: inout SVGWriter) {
    let shown = columns.indices.filter { index in
      columns[index].title != nil
        && (rows.isEmpty || rows.contains { !$0[index].shown.isEmpty })
    }
    page.begin(
      "div",
      [
        "class": rows.count > 30 && identifier.isEmpty ? "scroll tall" : "scroll", "role": "region",
        "tabindex": 0, "aria-label": caption,
      ])
    page.begin("table", identifier.isEmpty ? [:] : ["id": identifier])
    page.element("caption", [:], text: caption)
    page.begin("thead")
    page.begin("tr")
    for index in shown {
      let column = columns[index]
      var attributes: SVGAttributes = ["scope": "col"]
      if column.alignment == .right { attributes.append("class", "n") }
      attributes.append("data-key", column.name)
      if let doc = ResultColumns.column(column.name)?.doc {
        attributes.append("title", "\(column.name): \(doc)")
      } else if column.title != column.name {
        attributes.append("title", column.name)
      }
      page.element("th", attributes, text: column.title ?? "")
    }
    page.end()
    page.end()
    page.begin("tbody")
    for row in rows {
      page.begin("tr")
      for (place, index) in shown.enumerated() {
        let cell = row[index]
        var attributes: SVGAttributes = place == 0 ? ["scope": "row"] : [:]
        if columns[index].alignment == .right { attributes.append("class", "n") }
        if case .number(let number) = cell.exact, number.text != cell.shown {
          attributes.append("data-v", number.text)
        }
        page.element(place == 0 ? "th" : "td", attributes, text: cell.shown)
      }
      page.end()
      page.breakLine()
    }
    page.end()
    page.end()
    page.end()
    page.breakLine()
  }
}
