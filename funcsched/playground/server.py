"""The local web server of the playground."""

from __future__ import annotations

import json
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

from funcsched.playground.answer import MAX_CURVES, answer, answer_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HOSTS = ("127.0.0.1", "localhost")
_MAX_REQUEST = 1_000_000  # bytes
_POLICY = "default-src 'self'; frame-ancestors 'none'"


def serve(
    expressions: Sequence[str] = (), *, port: int = 0, open_browser: bool = True, settings: dict[str, str] | None = None
) -> None:
    """Serve the playground on 127.0.0.1 until it is interrupted with Ctrl+C.

    Args:
        expressions: the schedules to show (up to 6 str): expressions, or names of published recipes. Defaults to an
            example.
        port: the port (int). 0 means any free port.
        open_browser: whether to open the page in the default browser (bool). Its address is printed in any case.
        settings: further parameters of the address, such as ``{"peak": "3e-4", "run": "100000"}``.

    Raises:
        ValueError: there are more than 6 expressions, or the page cannot show one of them, such as a recipe that counts
            samples or epochs.
        OSError: the port is not available.
    """
    with make_server(port) as server:
        address = page_address(server.server_port, expressions, settings or {})
        _require_curves(expressions, settings or {})
        print(f"The playground is at {address}\nPress Ctrl+C to stop it.", flush=True)
        if open_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(file=sys.stderr)  # ends the line with ^C


def page_address(port: int, expressions: Sequence[str], settings: dict[str, str]) -> str:
    """The address of the page that shows some schedules."""
    if len(expressions) > MAX_CURVES:
        raise ValueError(f"serve: at most {MAX_CURVES} expressions can be shown, got {len(expressions)}")
    query = urlencode([*(("e", text) for text in expressions), *settings.items()])
    return f"http://127.0.0.1:{port}/{f'#{query}' if query else ''}"


def _require_curves(expressions: Sequence[str], settings: dict[str, str]) -> None:
    """Raise an error for an expression that the page could not show."""
    if expressions:
        reply = answer({"kind": "curves", "expressions": expressions, **settings})
        for curve in reply.get("curves", ()):  # there are none if a setting is invalid, which the page shows
            if "error" in curve:
                raise ValueError(f"serve: {curve['error']['message']}")


def make_server(port: int) -> ThreadingHTTPServer:
    """The server, which has not started to answer yet."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    """Serves the files of the page, and answers its requests.

    Other web sites in the same browser must not reach it: it refuses every other host name (against DNS rebinding) and
    requests of other origins.
    """

    def do_GET(self) -> None:
        if not self._is_allowed():
            return
        name = self.path.partition("?")[0].removeprefix("/") or "index.html"
        path = next((path for path in _STATIC.iterdir() if path.name == name), None)
        if path is None or path.suffix not in _TYPES:
            self._send(404, "text/plain", b"not found")
        else:
            self._send(200, _TYPES[path.suffix], path.read_bytes())

    def do_POST(self) -> None:
        if not self._is_allowed():
            return
        length = self.headers.get("Content-Length", "")
        if self.path != "/answer" or self.headers.get_content_type() != "application/json":
            self._send(404, "text/plain", b"not found")
        elif not length.isdecimal() or int(length) > _MAX_REQUEST:
            self._send(413, "text/plain", b"the request is too large")
        else:
            try:
                reply = answer_text(self.rfile.read(int(length)).decode())
            except Exception as error:  # the page shows it
                reply = json.dumps({"failure": f"{type(error).__name__}: {error}"})
            self._send(200, "application/json", reply.encode())

    def _is_allowed(self) -> bool:
        host = self.headers.get("Host", "")  # with any port, which an SSH tunnel may change
        if host.partition(":")[0] in _HOSTS and self.headers.get("Origin") in (None, f"http://{host}"):
            return True
        self._send(403, "text/plain", b"refused: only the page itself may use this server")
        return False

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", _POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Do not print every request."""
