"""A real Chromium, driven over its debugging pipe: no driver program, no port, no package.

In: addresses, keys, clicks. Out: what a page shows, and everything that it did besides: requests,
messages of the console, dialogs, violations of its Content-Security-Policy.
"""

import base64
import fcntl
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-sync", "--disable-background-networking", "--disable-component-update",
    "--disable-default-apps", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio",
    "--remote-debugging-pipe", "--force-color-profile=srgb", "--lang=en-US",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")

_COMPLAINTS = ("error", "warning", "assert")
# Where to click: null while the page still scrolls or lays itself out, or something is in front.
_PLACE = (
    "(async selector => { const e = document.querySelector(selector); if (!e) return null;"
    " e.scrollIntoView({block: 'center'});"
    " const at = () => { const b = e.getClientRects()[0];"
    " return b && [b.x + b.width / 2, b.y + b.height / 2] };"
    " const before = at(); await new Promise(done => setTimeout(done, 30)); const after = at();"
    " if (!before || !after || before.join() !== after.join()) return null;"
    " const hit = document.elementFromPoint(...after);"
    " return hit && (e.contains(hit) || hit.contains(e)) ? after : null })"
)
_KEYS = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, ""),
    "Home": (36, ""),
    "End": (35, ""),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
}


class Broken(AssertionError):
    """The page or the browser did not do what was asked."""


class Browser:
    """A running Chromium and its connection; use `chromium()`."""

    def __init__(self, process: "subprocess.Popen[bytes]", write: int, read: int) -> None:
        self.process = process
        self._write, self._read = write, read
        self._buffer = b""
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._pages: dict[str, Page] = {}

    def page(self, **options: Any) -> "Page":
        """Open a page in a profile of its own: no cookies, no storage of others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, session["sessionId"], context, **options)
        self._pages[page.session] = page
        page.begin()
        return page

    def call(
        self, method: str, session: str | None = None, seconds: float = 30, **parameters: Any
    ) -> dict[str, Any]:
        """Call a method of the DevTools protocol. Raises `Broken`."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._send(json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + seconds
        while number not in self._answers:
            if not self.listen(deadline - time.monotonic()):
                raise Broken(f"{method}: no answer within {seconds} s")
        answer = self._answers.pop(number)
        if "error" in answer:
            raise Broken(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer.get("result", {})
        return result

    def listen(self, seconds: float) -> bool:
        """Take in what arrives within `seconds`; return whether anything did."""
        if not select.select([self._read], [], [], max(seconds, 0))[0]:
            return False
        part = os.read(self._read, 1 << 20)
        if not part:
            raise Broken(f"the browser has ended: {self.process.poll()}")
        *messages, self._buffer = (self._buffer + part).split(b"\0")
        for raw in messages:
            message = json.loads(raw)
            if "id" in message:
                self._answers[message["id"]] = message
            elif page := self._pages.get(message.get("sessionId", "")):
                page.happened(message["method"], message["params"])
        return True

    def forget(self, page: "Page") -> None:
        """Close a page and all that its profile held."""
        self._pages.pop(page.session, None)
        self.call("Target.disposeBrowserContext", browserContextId=page.context)

    def _send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._write, data) :]


class Page:
    """One page. What it did is in `requests`, `console`, `dialogs` and `violations`."""

    def __init__(
        self, browser: Browser, session: str, context: str, *, width: int = 1280, height: int = 900
    ) -> None:
        self.browser, self.session, self.context = browser, session, context
        self.width, self.height = width, height
        self.requests: list[str] = []
        self.console: list[str] = []
        self.dialogs: list[str] = []
        self.violations: list[str] = []
        self._loaded = 0

    def begin(self) -> None:
        """Listen to the page."""
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            self.call(f"{domain}.enable")
        self.size(self.width, self.height)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method for this page."""
        return self.browser.call(method, self.session, **parameters)

    def happened(self, method: str, what: dict[str, Any]) -> None:
        """Write down an event."""
        if method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(what["url"])
        elif method == "Page.loadEventFired":
            self._loaded += 1
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(f"{what['type']}: {what['message']}")
            # An answer is not waited for here: this runs while another one is.
            self.browser._number += 1
            self.browser._send(
                json.dumps(
                    {
                        "id": self.browser._number,
                        "method": "Page.handleJavaScriptDialog",
                        "params": {"accept": False},
                        "sessionId": self.session,
                    }
                ).encode()
                + b"\0"
            )
        elif method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and what["type"] in _COMPLAINTS:
            said = " ".join(str(one.get("value", one.get("description"))) for one in what["args"])
            self.console.append(f"{what['type']}: {said}")
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.console.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")
        elif method == "Audits.issueAdded":
            issue = what["issue"]
            if issue["code"] == "ContentSecurityPolicyIssue":
                self.violations.append(json.dumps(issue["details"]))

    def size(self, width: int, height: int, scale: float = 1) -> None:
        """Make the window that large, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def prefer(self, **features: str) -> None:
        """Set what the system prefers: prefers_color_scheme="dark"; media="print"."""
        media = features.pop("media", "")
        self.call(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[{"name": n.replace("_", "-"), "value": v} for n, v in features.items()],
        )

    def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded."""
        before = self._loaded
        answer = self.call("Page.navigate", url=url)
        if answer.get("errorText"):
            raise Broken(f"{url}: {answer['errorText']}")
        # Another fragment of the same page loads nothing.
        deadline = time.monotonic() + 60
        while answer.get("loaderId") and self._loaded == before:
            if not self.browser.listen(deadline - time.monotonic()):
                raise Broken(f"{url} does not load")

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited. Raises `Broken` with what it throws."""
        answer = self.call(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Broken(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 15) -> Any:
        """Wait until an expression is true, and return its value. Raises `Broken`."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(condition)):
            if time.monotonic() > deadline:
                shown = self.run("document.body.innerText.slice(0, 600)")
                raise Broken(f"not within {seconds} s: {condition}\n{shown}\n{self.console}")
            self.browser.listen(0.02)
        return value

    def text(self, selector: str = "main") -> str:
        """Return what a person reads in the first such element, "" without one."""
        found: str = self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return found

    def texts(self, selector: str) -> list[str]:
        """Return the text of every such element."""
        found: list[str] = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)"
        )
        return found

    def click(self, selector: str) -> None:
        """Click in the middle of the first such element, as a mouse does, once it stands still."""
        box = self.wait(f"{_PLACE}({json.dumps(selector)})")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box[0],
                y=box[1],
                button="none" if kind == "mouseMoved" else "left",
                clickCount=0 if kind == "mouseMoved" else 1,
            )

    def press(self, *keys: str) -> None:
        """Press keys, one after the other: characters, or names like "Enter"."""
        for key in keys:
            code, text = _KEYS.get(key, (ord(key[0].upper()) if len(key) == 1 else 0, key))
            shared = {"key": key, "windowsVirtualKeyCode": code}
            down = {"type": "keyDown" if text else "rawKeyDown", **shared}
            self.call("Input.dispatchKeyEvent", **down, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def write(self, text: str) -> None:
        """Put text into what has the focus, as a paste does."""
        self.call("Input.insertText", text=text)

    def back(self) -> None:
        """Press the browser's button."""
        self.run("history.back()")

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is seen (or the whole page) as a PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def printed(self) -> bytes:
        """Return the page as PDF, as its print style has it."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def close(self) -> None:
        """Close the page."""
        self.browser.forget(self)


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """Run a browser with a profile of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="skillmesh-browser-", ignore_cleanup_errors=True
    ) as home:
        to_browser, write = os.pipe()
        read, from_browser = os.pipe()
        process = _start(program, Path(home), to_browser, from_browser)
        browser = Browser(process, write, read)
        try:
            yield browser
        finally:
            try:
                browser.call("Browser.close", seconds=5)
            except (Broken, OSError):
                process.kill()
            os.close(write)
            os.close(read)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(program: str, home: Path, incoming: int, outgoing: int) -> "subprocess.Popen[bytes]":
    """Start the program, which takes over both ends: commands on descriptor 3, answers on 4."""
    # A shell puts the pipes where the browser looks for them: after a fork, Python must not.
    ours = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (incoming, outgoing)]
    os.close(incoming)
    os.close(outgoing)
    command = 'exec "$@" 3<&{0} 4>&{1} {0}<&- {1}>&-'.format(*ours)
    process = subprocess.Popen(
        ["bash", "-c", command, "chromium", program, *FLAGS, f"--user-data-dir={home}/profile",
         "about:blank"],
        pass_fds=ours,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": os.fspath(home)},
    )  # fmt: skip
    for one in ours:
        os.close(one)
    return process
