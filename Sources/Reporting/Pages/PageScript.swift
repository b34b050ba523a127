/// What a page can do beyond being read: show values on hovering, sort and filter the table of points,
/// and draw any two of its columns.
///
/// Nothing of the report needs it. It loads nothing and stores nothing.
enum PageScript {
  static let text = #"""
    (function () {
      "use strict";
      var doc = document, space = doc.getElementById("drawn").namespaceURI;
      function make(name, text) {
        var node = doc.createElement(name);
        if (text !== undefined) { node.textContent = text; }
        return node;
      }
      // Values on hovering: the titles of marks, shown at once.
      var tip = make("div");
      tip.id = "tip";
      tip.hidden = true;
      doc.body.appendChild(tip);
      function adopt(root) {
        root.querySelectorAll("svg.figure title").forEach(function (title) {
          title.parentNode.setAttribute("aria-label", title.textContent);
          title.parentNode.dataset.tip = title.textContent;
          title.remove();
        });
      }
      adopt(doc);
      doc.addEventListener("mousemove", function (event) {
        var mark = event.target.closest ? event.target.closest("[data-tip]") : null;
        tip.hidden = !mark;
        if (!mark) { return; }
        tip.textContent = mark.dataset.tip;
        var x = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
        var y = event.clientY + 18;
        if (y + tip.offsetHeight > window.innerHeight) { y = event.clientY - tip.offsetHeight - 10; }
        tip.style.left = x + "px";
        tip.style.top = y + "px";
      });
      // The table: sorting and filtering.
      var table = doc.getElementById("points");
      if (!table) { return; }
      var body = table.tBodies[0], heads = Array.from(table.tHead.rows[0].cells);
      var rows = Array.from(body.rows);
      function cell(row, index) {
        var node = row.cells[index];
        return node.dataset.v !== undefined ? node.dataset.v : node.textContent;
      }
      function number(row, index) {
        var text = cell(row, index);
        return text === "" ? NaN : Number(text);
      }
      heads.forEach(function (head, index) {
        var button = make("button", head.textContent);
        button.type = "button";
        head.textContent = "";
        head.appendChild(button);
        button.addEventListener("click", function () {
          var down = head.getAttribute("aria-sort") === "ascending";
          heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          var numeric = head.classList.contains("n");
          var order = rows.slice().sort(function (a, b) {
            var sign = down ? -1 : 1;
            if (numeric) {
              var p = number(a, index), q = number(b, index);
              if (isNaN(p) || isNaN(q)) { return isNaN(p) - isNaN(q); }
              return sign * (p - q);
            }
            return sign * cell(a, index).localeCompare(cell(b, index), "en", { numeric: true });
          });
          order.forEach(function (row) { body.appendChild(row); });
        });
      });
      var filter = doc.getElementById("filter"), shown = doc.getElementById("shown");
      filter.addEventListener("input", function () {
        var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean), count = 0;
        rows.forEach(function (row) {
          var text = Array.from(row.cells).map(function (c) { return c.textContent; })
            .join(" ").toLowerCase();
          row.hidden = !words.every(function (word) { return text.includes(word); });
          if (!row.hidden) { count += 1; }
        });
        shown.textContent = count + " of " + rows.length + " rows";
        draw();
      });
      filter.parentNode.parentNode.hidden = false;
      // Any two columns against one another.
      var section = doc.getElementById("explore"), picks = {};
      var numeric = [], words = [];
      heads.forEach(function (head, index) {
        var values = rows.map(function (row) { return cell(row, index); });
        var some = values.filter(function (text) { return text !== ""; });
        var entry = { index: index, name: head.dataset.key };
        if (head.classList.contains("n")) {
          numeric.push(entry);
        } else {
          words.push(entry);
          if (some.length && some.every(function (text) { return !isNaN(parseFloat(text)); })) {
            numeric.push({ index: index, name: head.dataset.key, units: true });
          }
        }
      });
      var factors = { p: 1e-12, n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
      function value(row, entry) {
        if (!entry.units) { return number(row, entry.index); }
        var match = /^([-+0-9.eE]+)\s*([a-zA-Z%]*)/.exec(cell(row, entry.index));
        if (!match) { return NaN; }
        var unit = match[2], binary = unit[1] === "i";
        if (unit.length > 1 && factors[unit[0]] !== undefined && unit !== "ms" && unit !== "min") {
          return match[1] * (binary ? Math.pow(1024, "KMGT".indexOf(unit[0]) + 1) : factors[unit[0]]);
        }
        return match[1] * (unit === "ms" ? 1e-3 : unit === "min" ? 60 : 1);
      }
      function pick(id, entries, chosen) {
        var select = doc.getElementById(id);
        entries.forEach(function (entry, place) {
          var option = make("option", entry.name);
          option.value = place;
          option.selected = entry.name === chosen;
          select.appendChild(option);
        });
        select.addEventListener("change", function () { guess(id); draw(); });
        picks[id] = { select: select, entries: entries };
      }
      // A logarithm where values differ by more than ten times.
      function guess(id) {
        var box = doc.getElementById(id.replace("pick", "log"));
        if (!box) { return; }
        var values = rows.map(function (row) { return value(row, picked(id)); }).filter(isFinite);
        var low = Math.min.apply(null, values);
        box.checked = low > 0 && Math.max.apply(null, values) / low >= 10;
      }
      function picked(id) { return picks[id].entries[picks[id].select.value]; }
      function node(parent, name, attributes, text) {
        var made = doc.createElementNS(space, name);
        Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
        if (text !== undefined) { made.textContent = text; }
        parent.appendChild(made);
        return made;
      }
      function scale(values, from, to, log) {
        var f = log ? Math.log10 : function (v) { return v; };
        var low = Math.min.apply(null, values), high = Math.max.apply(null, values);
        if (low === high) { low = log ? low / 2 : low - 1; high = log ? high * 2 : high + 1; }
        var pad = (f(high) - f(low)) * 0.05, a = f(low) - pad, b = f(high) + pad;
        var ticks = [], step, k, v;
        if (log && b - a >= 1.5) {
          for (k = Math.floor(a); k <= b; k += 1) {
            (b - a < 3 ? [1, 2, 5] : [1]).forEach(function (m) {
              v = Number((m * Math.pow(10, k)).toPrecision(1));
              if (f(v) >= a && f(v) <= b) { ticks.push(v); }
            });
          }
        } else {
          var p = log ? Math.pow(10, a) : a, q = log ? Math.pow(10, b) : b;
          step = Math.pow(10, Math.floor(Math.log10((q - p) / 4)));
          [1, 2, 5, 10].some(function (m) {
            if ((q - p) / (m * step) <= 6) { step *= m; return true; }
            return false;
          });
          for (k = Math.ceil(p / step); k * step <= q; k += 1) {
            v = Number((k * step).toPrecision(12));
            if (!log || v > 0) { ticks.push(v); }
          }
        }
        return {
          at: function (v) { return from + (f(v) - a) / (b - a) * (to - from); }, ticks: ticks
        };
      }
      function short(v) {
        return Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3)
          ? v.toExponential(1).replace(".0e", "e").replace("e+", "e") : String(Number(v.toPrecision(6)));
      }
      function draw() {
        var xc = picked("pick-x"), yc = picked("pick-y"), sc = picked("pick-series");
        var lx = doc.getElementById("log-x").checked, ly = doc.getElementById("log-y").checked;
        var names = [], points = [];
        rows.forEach(function (row) {
          var x = value(row, xc), y = value(row, yc), s = sc ? cell(row, sc.index) : "";
          if (names.indexOf(s) < 0) { names.push(s); }
          if (row.hidden || !isFinite(x) || !isFinite(y) || (lx && x <= 0) || (ly && y <= 0)) { return; }
          points.push({ x: x, y: y, s: names.indexOf(s), row: row });
        });
        var old = doc.getElementById("drawn"), w = 780, h = 400;
        var svg = doc.createElementNS(space, "svg");
        svg.id = "drawn";
        svg.setAttribute("class", "figure");
        svg.setAttribute("viewBox", "0 0 " + w + " " + h);
        svg.setAttribute("font-size", "11");
        svg.setAttribute("role", "img");
        svg.setAttribute("aria-label", yc.name + " against " + xc.name);
        old.replaceWith(svg);
        if (!points.length) { node(svg, "text", { x: 20, y: 40, fill: "var(--text)" }, "no values"); return; }
        var x = scale(points.map(function (p) { return p.x; }), 70, 600, lx);
        var y = scale(points.map(function (p) { return p.y; }), 350, 14, ly);
        x.ticks.forEach(function (v) {
          node(svg, "line", { x1: x.at(v), x2: x.at(v), y1: 14, y2: 350, stroke: "var(--grid)" });
          node(svg, "text", { x: x.at(v), y: 366, "text-anchor": "middle", fill: "var(--text)" }, short(v));
        });
        y.ticks.forEach(function (v) {
          node(svg, "line", { x1: 70, x2: 600, y1: y.at(v), y2: y.at(v), stroke: "var(--grid)" });
          node(svg, "text", { x: 64, y: y.at(v) + 4, "text-anchor": "end", fill: "var(--text)" }, short(v));
        });
        node(svg, "text", { x: 335, y: 390, "text-anchor": "middle", fill: "var(--text)" }, xc.name);
        node(svg, "text", {
          x: 14, y: 182, "text-anchor": "middle", fill: "var(--text)", transform: "rotate(-90 14 182)"
        }, yc.name);
        function mark(px, py, s) {
          var color = "var(--s" + (s % 8) + ")", r = 4;
          if (s % 4 === 0) { return node(svg, "circle", { cx: px, cy: py, r: r, fill: color }); }
          if (s % 4 === 1) {
            return node(svg, "rect", { x: px - 3.5, y: py - 3.5, width: 7, height: 7, fill: color });
          }
          var flip = s % 4 === 2 ? 1 : -1;
          return node(svg, "polygon", {
            points: [px, py - 5 * flip, px + 4.5, py + 3.5 * flip, px - 4.5, py + 3.5 * flip].join(" "),
            fill: color
          });
        }
        points.forEach(function (p) {
          mark(x.at(p.x), y.at(p.y), p.s).dataset.tip = (names[p.s] ? names[p.s] + ": " : "")
            + xc.name + " " + cell(p.row, xc.index) + ", " + yc.name + " " + cell(p.row, yc.index);
        });
        names.slice(0, 18).forEach(function (name, s) {
          mark(622, 24 + 19 * s, s);
          node(svg, "text", { x: 634, y: 28 + 19 * s, fill: "var(--text)" },
            name.length > 24 ? name.slice(0, 23) + "\u2026" : name);
        });
        if (names.length > 18) {
          node(svg, "text", { x: 634, y: 28 + 19 * 18, fill: "var(--faint)" }, names.length - 18 + " more");
        }
      }
      if (!numeric.length || rows.length < 2) { return; }
      pick("pick-x", numeric, section.dataset.x);
      pick("pick-y", numeric, section.dataset.y);
      pick("pick-series", words.length ? words : [], section.dataset.series);
      ["log-x", "log-y"].forEach(function (id) {
        doc.getElementById(id).addEventListener("change", draw);
      });
      section.hidden = false;
      guess("pick-x");
      guess("pick-y");
      draw();
    }());
    """#
}
