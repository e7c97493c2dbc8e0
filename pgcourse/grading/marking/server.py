"""The local server behind the page: on 127.0.0.1 alone, and for nobody who does not know its secret address.

What students wrote is private and not to be trusted. Every request must name the secret in its path and this very server as
its host; what reads or writes marks must besides come from the page itself. The page may run our script and nothing else.
"""

import contextlib
import hmac
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pgcourse.errors import InvalidInput
from pgcourse.grading.marking.desk import Desk
from pgcourse.grading.marking.sheet import Change, NotAllowed
from pgcourse.grading.marks.look import look

HOST = "127.0.0.1"
HEADER = "X-Pgcourse-Mark"  # no page of another origin can send it without asking, and the answer is no
MOST_BODY = 100_000  # bytes
FOLDER = Path(__file__).parent
FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"  # no text becomes HTML, not even by a mistake of ours
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Refused(Exception):
    """A request that gets no answer. Args: the HTTP status, and why in words."""


class MarkingServer(ThreadingHTTPServer):
    """Serves one desk. `address` is what to open in a browser."""

    daemon_threads = True
    MOST = 32  # connections at a time; a browser has six. Whoever is on this machine may open more, and say nothing.

    def __init__(self, desk: Desk, token: str, port: int = 0) -> None:
        """Args: port: 0 for any that is free. Raises: OSError where it is taken."""
        super().__init__((HOST, port), Handler)
        self.desk, self.token = desk, token
        self.lock = threading.Lock()
        self.silent: dict[socket.socket, None] = {}  # that have not named the secret yet, the oldest first
        self.opened = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection; of too many silent ones the oldest is closed."""
        with self.opened:
            self.silent[request] = None
            oldest = next(iter(self.silent)) if len(self.silent) > self.MOST else None
        if oldest is not None:
            with contextlib.suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)  # its thread then closes it
            self.heard(oldest)
        super().process_request(request, client_address)

    def heard(self, request: socket.socket) -> None:
        """It is known, or closed."""
        with self.opened:
            self.silent.pop(request, None)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.heard(request)
        super().shutdown_request(request)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self.server_port}"

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"{self.origin}/{self.token}/"

    def close(self) -> None:
        """Stop, but let a change that is being written come to its end."""
        self.server_close()
        with self.lock:
            pass


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: MarkingServer
    server_version, sys_version = "pgcourse", ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        try:
            path, query = self._asked()
            if method == "GET" and path in FILES:
                name, kind = FILES[path]
                text = (FOLDER / name).read_text(encoding="utf-8")
                self._send(200, kind, (look() + text if name == "page.css" else text).encode("utf-8"))
                return
            self._require_own_page(method)
            self._send_json(200, self._told(method, path, query))
        except Refused as refused:
            status, why = refused.args
            if HEADER in self.headers:
                self._send_json(status, {"error": why})
            else:  # a person reads it
                self._send(status, "text/plain; charset=utf-8", f"{why}\n".encode())
        except InvalidInput as error:  # 409: the page tries again, since a person can mend the file meanwhile
            status = 400 if isinstance(error, NotAllowed) else 409
            self._send_json(status, {"error": " ".join(str(error).split())})
        except (
            Exception
        ) as error:  # what students wrote may be odd in ways that nobody has thought of: the page goes on
            said = f"this cannot be shown or stored ({type(error).__name__}); look at the notebook itself"
            self._send_json(500, {"error": said})

    def _asked(self) -> tuple[str, dict[str, str]]:
        """The path behind the secret, and the query. Raises: Refused unless host and secret are ours."""
        if self.headers.get_all("Host") != [f"{HOST}:{self.server.server_port}"]:
            raise Refused(403, f"open the address that `pgcourse mark` printed; it begins with {self.server.origin}")
        try:
            parts = urlsplit(self.path)
        except ValueError:
            raise Refused(404, "there is nothing here") from None
        token, _, path = parts.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            raise Refused(
                403, "This page belongs to an earlier start of `pgcourse mark`: open the address that it printed last."
            )
        self.server.heard(self.connection)
        return path, {name: values[-1] for name, values in parse_qs(parts.query).items()}

    def _require_own_page(self, method: str) -> None:
        """Raises: Refused unless the page itself asks."""
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "same-origin")
        foreign = origin != self.server.origin if method == "POST" or origin is not None else False
        if foreign or site != "same-origin" or self.headers.get(HEADER) != "1":
            raise Refused(403, "only the marking page itself may ask this")

    def _told(self, method: str, path: str, query: dict[str, str]) -> Any:
        desk = self.server.desk
        if (method, path) == ("POST", "api/mark"):
            student, task, change = self._change()
            with self.server.lock:
                return {"mark": desk.change(student, task, change)}
        if (method, path) == ("GET", "api/work"):
            return desk.work(query.get("student", ""), query.get("task", ""))
        with self.server.lock:
            if (method, path) == ("GET", "api/class"):
                desk.renew()
                return desk.as_json()
            if (method, path) == ("GET", "api/marks"):
                version, marks = desk.marks()
                return {"version": version} | ({"marks": marks} if query.get("since") != version else {})
        raise Refused(404, "there is nothing here")

    def _change(self) -> tuple[str, str, Change]:
        """The change that a request asks for. Raises: Refused for what is none."""
        if self.headers.get_content_type() != "application/json":
            raise Refused(400, "a change is sent as JSON")
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BODY:
            raise Refused(413, f"a change has at most {MOST_BODY:,} bytes")
        try:
            data = json.loads(self.rfile.read(int(length)))
            student, task = data["student"], data["task"]
            item, points, comment = data.get("item"), data.get("points"), data.get("comment")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Refused(400, "this is no change of a mark") from None
        kinds = ((student, str), (task, str), (item, int | None), (points, int | float | None), (comment, str | None))
        if not all(isinstance(value, kind) and not isinstance(value, bool) for value, kind in kinds):
            raise Refused(400, "this is no change of a mark")
        try:
            (comment or "").encode("utf-8")
            return student, task, Change(item, points, comment)
        except UnicodeEncodeError:
            raise Refused(400, "the comment holds half a letter, which cannot be stored") from None

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, "application/json; charset=utf-8", json.dumps(value).encode("utf-8"))

    def _send(self, status: int, kind: str, content: bytes) -> None:
        try:
            self.send_response(status)
            for name, text in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the page was left before the answer was there
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing: an address in a log would hold the secret."""
