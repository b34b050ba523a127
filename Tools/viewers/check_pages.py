#!/usr/bin/env python3
"""Checks that a browser shows pages and pictures of simnet as they are meant.

    check_pages.py FILE.html|FILE.svg... [--chromium PATH] [--artifacts FOLDER]

Opens each in a headless Chromium: nothing on the console, no request beside the file itself, below
one megabyte, no wider than the window on a desk and on a telephone, figures whose texts stay inside
and apart, texts that stand out from what is behind them in light and dark, the same text without
JavaScript, and a page script whose table sorts and filters. Keeps screenshots in FOLDER: light,
dark, print, telephone. Needs a Chromium; installs nothing.
Exits with 1 if anything is wrong, 2 if there is no Chromium.
"""

import argparse
import base64
import os
import pathlib
import shutil
import sys

from devtools import Browser

LIMIT = 1_000_000

# Texts of figures that leave their figure, or lie on one another.
GEOMETRY = r"""
(() => {
  const faults = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const name = (svg.closest("section")?.id ?? svg.id) || "figure";
    const texts = [];
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      const slanted = /rotate\(-?(?!90)\d/.test(text.getAttribute("transform") ?? "");
      if (!box.width || !text.textContent.trim()) continue;
      if (box.left < frame.left - 1 || box.right > frame.right + 1
          || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) {
        faults.push(`${name}: "${text.textContent}" leaves the figure`);
      }
      // The box of a slanted text says little of where it lies.
      if (!slanted) texts.push([box, text.textContent]);
    }
    texts.sort((a, b) => a[0].left - b[0].left);
    for (let i = 0; i < texts.length; i += 1) {
      for (let j = i + 1; j < texts.length; j += 1) {
        const [a, p] = texts[i], [b, q] = texts[j];
        if (b.left >= a.right) break;
        const wide = Math.min(a.right, b.right) - b.left;
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        // Boxes are as high as a line, letters are not.
        const line = Math.min(a.height, b.height, a.width, b.width);
        if (wide > 1.5 && high > 0.45 * line) faults.push(`${name}: "${p}" lies on "${q}"`);
      }
    }
  }
  return faults;
})()
"""

# Texts that do not stand out: contrast below 4.5 (WCAG 2.1, 1.4.3), from the page's own colours.
CONTRAST = r"""
(() => {
  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g).map(Number);
    return numbers.length < 4 ? [...numbers, 1] : numbers;
  };
  const light = (color) => {
    const [r, g, b] = color.map((value) => {
      const v = value / 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [p, q] = [light(a), light(b)].sort((x, y) => y - x);
    return (p + 0.05) / (q + 0.05);
  };
  const behind = (node) => {
    for (let e = node; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color[3] > 0.99) return color;
    }
    return [255, 255, 255, 1];
  };
  const faults = new Set();
  // The last rectangle drawn below the middle of a text.
  const under = (node, svg) => {
    const box = node.getBoundingClientRect();
    const x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
    let color = null;
    for (const shape of svg.querySelectorAll("rect")) {
      if (!(shape.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING)) break;
      const r = shape.getBoundingClientRect(), style = getComputedStyle(shape);
      if (style.fill === "none" || x < r.left || x > r.right || y < r.top || y > r.bottom) continue;
      const fill = parse(style.fill);
      if (fill[3] * style.opacity * style.fillOpacity > 0.99) color = fill;
    }
    return color;
  };
  const look = (node, text, color, ground) => {
    const value = contrast(color, ground ?? behind(node));
    if (value < 4.5) {
      faults.add(`"${text.slice(0, 40)}" has a contrast of ${value.toFixed(2)}`);
    }
  };
  const walker = document.createTreeWalker(document.body ?? document.documentElement, 4);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const text = n.textContent.trim(), parent = n.parentElement;
    if (!text || !parent || !parent.getClientRects().length) continue;
    if (parent.closest("script, style, title, desc")) continue;
    const style = getComputedStyle(parent);
    const svg = parent.closest("svg");
    look(parent, text, parse(svg ? style.fill : style.color), svg ? under(parent, svg) : null);
  }
  return [...faults].slice(0, 8);
})()
"""

# Sorts by every column and filters by a word of the first row.
SCRIPT = r"""
(async () => {
  const table = document.getElementById("points");
  if (!table) return [];
  const faults = [], rows = () => Array.from(table.tBodies[0].rows);
  const count = rows().length;
  for (const button of table.querySelectorAll("thead button")) {
    button.click();
    if (button.closest("th").getAttribute("aria-sort") !== "ascending") {
      faults.push(`does not sort by ${button.textContent}`);
    }
  }
  if (count > 1 && !table.querySelector("thead button")) faults.push("the table does not sort");
  const filter = document.getElementById("filter");
  filter.value = "no row holds this";
  filter.dispatchEvent(new Event("input"));
  if (rows().some((row) => !row.hidden)) faults.push("the filter hides nothing");
  filter.value = "";
  filter.dispatchEvent(new Event("input"));
  if (rows().length !== count || rows().some((row) => row.hidden)) faults.push("rows are lost");
  for (const select of document.querySelectorAll("#explore select")) {
    for (let i = 0; i < select.options.length; i += 1) {
      select.selectedIndex = i;
      select.dispatchEvent(new Event("change"));
    }
  }
  const mark = document.querySelector("[data-tip]");
  if (mark) {
    mark.dispatchEvent(new MouseEvent("mousemove", { bubbles: true, clientX: 9, clientY: 9 }));
    if (document.getElementById("tip").hidden) faults.push("hovering shows nothing");
    document.body.dispatchEvent(new MouseEvent("mousemove", { bubbles: true }));
  }
  window.scrollTo(0, 0);
  return faults;
})()
"""

# What a reader sees: headings, words, figures with a size.
READING = """
(() => {
  const body = document.body ?? document.documentElement;
  const seen = (node) => node.getClientRects().length > 0;
  return {
    words: (body.innerText ?? body.textContent).split(/\\s+/).length,
    headings: Array.from(document.querySelectorAll("h1, h2")).filter(seen)
      .map((h) => h.textContent),
    figures: Array.from(document.querySelectorAll("svg")).filter(seen).length,
    rows: Array.from(document.querySelectorAll("#points tbody tr")).filter(seen).length,
  };
})()
"""


SIZE = """
(() => {
  const box = document.documentElement.getBoundingClientRect();
  return { width: box.width, height: box.height };
})()
"""


class Page:
    """One file, looked at in every way."""

    def __init__(self, tools, path, artifacts):
        self.tools = tools
        self.path = path
        self.address = pathlib.Path(path).resolve().as_uri()
        self.stem = os.path.splitext(os.path.basename(path))[0]
        self.artifacts = artifacts
        self.faults = []
        self.is_page = path.endswith(".html")

    def load(self, width, height, scheme, media="screen", scripts=True):
        call = self.tools.call
        call("Emulation.setDeviceMetricsOverride", width=width, height=height,
             deviceScaleFactor=1, mobile=False)
        call("Emulation.setEmulatedMedia", media=media,
             features=[{"name": "prefers-color-scheme", "value": scheme}])
        call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.tools.events.clear()
        call("Page.navigate", url=self.address)
        self.tools.wait("Page.loadEventFired")
        self.hear()

    def hear(self):
        """Takes what the browser told: messages, exceptions, requests."""
        for event in self.tools.events:
            method, values = event.get("method", ""), event.get("params", {})
            if method == "Runtime.consoleAPICalled":
                said = " ".join(str(a.get("value", a.get("description"))) for a in values["args"])
                self.blame(f"console: {said}")
            elif method == "Runtime.exceptionThrown":
                self.blame(f"exception: {values['exceptionDetails'].get('text')}")
            elif method == "Log.entryAdded" and values["entry"]["level"] in ("warning", "error"):
                self.blame(f"{values['entry']['level']}: {values['entry']['text']}")
            elif method == "Network.requestWillBeSent":
                url = values["request"]["url"]
                if url != self.address and not url.startswith("data:"):
                    self.blame(f"asks for {url}")
        self.tools.events.clear()

    def blame(self, fault):
        self.faults.append(fault)

    def keep(self, kind):
        if self.is_page:
            size = self.tools.call("Page.getLayoutMetrics")["cssContentSize"]
        else:
            size = self.tools.evaluate(SIZE)
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 12_000),
                "scale": 1 if self.is_page else 2}
        self.tools.screenshot(
            os.path.join(self.artifacts, f"{self.stem}-{kind}.png"), clip=clip,
            captureBeyondViewport=True)

    def fits(self, width):
        wide = self.tools.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            self.blame(f"is {wide} wide in a window of {width}")

    def check(self):
        size = os.path.getsize(self.path)
        if size >= LIMIT:
            self.blame(f"has {size} bytes")
        self.load(1280, 900, "light")
        whole = self.tools.evaluate(READING)
        self.faults += self.tools.evaluate(GEOMETRY)
        if self.is_page:
            self.fits(1280)
            self.faults += [f"light: {f}" for f in self.tools.evaluate(CONTRAST)]
        self.keep("light")
        if not self.is_page:
            return whole
        self.faults += self.tools.evaluate(SCRIPT)
        self.faults += self.tools.evaluate(GEOMETRY)
        self.hear()
        self.load(1280, 900, "dark")
        self.faults += [f"dark: {f}" for f in self.tools.evaluate(CONTRAST)]
        self.keep("dark")
        self.load(390, 800, "light")
        self.fits(390)
        self.keep("telephone")
        # A4 at 96 pixels an inch, less the margins that the page asks for.
        self.load(688, 1000, "dark", media="print")
        self.keep("print")
        document = self.tools.call(
            "Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"]
        with open(os.path.join(self.artifacts, f"{self.stem}.pdf"), "wb") as file:
            file.write(base64.b64decode(document))
        self.load(1280, 900, "light", scripts=False)
        plain = self.tools.evaluate(READING)
        missing = [h for h in whole["headings"] if h not in plain["headings"]]
        if [h for h in missing if h != "Any two columns"]:
            self.blame(f"without JavaScript {missing} are missing")
        if plain["figures"] < whole["figures"] - 1 or plain["rows"] < whole["rows"]:
            self.blame(f"without JavaScript there is {plain}, with it {whole}")
        if plain["words"] < 100 or not plain["headings"]:
            self.blame(f"without JavaScript there is only {plain}")
        return whole


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--artifacts", default=".build-viewers/artifacts")
    arguments = parser.parse_args()
    if arguments.chromium is None:
        print("chromium is missing", file=sys.stderr)
        return 2
    os.makedirs(arguments.artifacts, exist_ok=True)
    faults = 0
    with Browser(arguments.chromium) as browser:
        tools = browser.page()
        for domain in ["Page", "Runtime", "Log", "Network"]:
            tools.call(f"{domain}.enable")
        for path in arguments.files:
            page = Page(tools, path, arguments.artifacts)
            page.check()
            unique = list(dict.fromkeys(page.faults))
            for fault in unique[:20]:
                print(f"{path}: {fault}", file=sys.stderr)
            if len(unique) > 20:
                print(f"{path}: ... and {len(unique) - 20} more", file=sys.stderr)
            faults += len(unique)
    print(f"{len(arguments.files)} pages and pictures, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
