"""A headless Chromium, spoken to by the DevTools protocol; needs nothing but Python.

Listens and connects on 127.0.0.1 only.
"""

import base64
import collections
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request


class DevTools:
    """One page of a browser, over the few lines of RFC 6455 that DevTools needs."""

    def __init__(self, address):
        host, path = address[len("ws://"):].split("/", 1)
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)), timeout=120)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.read(1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())
        self.number = 0
        self.events = collections.deque()

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(min(count - len(data), 1 << 20))
            if not piece:
                raise RuntimeError("the browser has gone")
            data += piece
        return data

    def receive(self):
        message = b""
        while True:
            first, second = self.read(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self.read(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.read(8))[0]
            message += self.read(size)
            if first & 0x80:
                return json.loads(message)

    def call(self, method, **parameters):
        """The result of a method; what is told meanwhile stays in `events`."""
        self.number += 1
        data = json.dumps(
            {"id": self.number, "method": method, "params": parameters}).encode()
        mask = os.urandom(4)
        if len(data) < 126:
            head = struct.pack(">BB", 0x81, 0x80 | len(data))
        elif len(data) < 65536:
            head = struct.pack(">BBH", 0x81, 0x80 | 126, len(data))
        else:
            head = struct.pack(">BBQ", 0x81, 0x80 | 127, len(data))
        self.socket.sendall(
            head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error'].get('message')}")
                return answer.get("result", {})
            self.events.append(answer)

    def wait(self, method):
        """Waits for an event and returns it; earlier ones stay in `events`."""
        for event in self.events:
            if event.get("method") == method:
                return event
        while True:
            event = self.receive()
            self.events.append(event)
            if event.get("method") == method:
                return event

    def evaluate(self, expression):
        result = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def screenshot(self, path, **parameters):
        image = self.call("Page.captureScreenshot", **parameters)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))


class Browser:
    """A headless Chromium with a profile of its own, for the length of a `with`."""

    def __init__(self, program, address="about:blank", size=(1600, 1000)):
        self.profile = tempfile.mkdtemp()
        # Nothing in the background: no updates, no first run, no reports.
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0",
             "--remote-debugging-address=127.0.0.1", "--remote-allow-origins=*",
             f"--user-data-dir={self.profile}", f"--window-size={size[0]},{size[1]}", address],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def page(self, part=""):
        """The DevTools of the page whose address holds `part`, once there is one."""
        place = os.path.join(self.profile, "DevToolsActivePort")
        limit = time.time() + 60
        while time.time() < limit:
            try:
                with open(place) as file:
                    number = int(file.readline())
                with urllib.request.urlopen(f"http://127.0.0.1:{number}/json") as answer:
                    for page in json.load(answer):
                        if page["type"] == "page" and part in page["url"]:
                            return DevTools(page["webSocketDebuggerUrl"])
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        raise RuntimeError("the browser did not start")
