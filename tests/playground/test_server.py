"""The local server: it answers the page, and refuses everything else."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

import funcsched.playground
from funcsched.playground import serve
from funcsched.playground.server import make_server, page_address

STATIC = Path(funcsched.playground.__file__).parent / "static"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with make_server(0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def fetch(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, str]:
    """The status, the type and the text of a response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    result = response.status, response.headers.get_content_type(), response.read().decode()
    connection.close()
    return result


def test_it_serves_the_files_of_the_page(port: int) -> None:
    status, kind, text = fetch(port, "GET", "/")
    assert (status, kind, text) == (200, "text/html", (STATIC / "index.html").read_text(encoding="utf-8"))
    for path in STATIC.iterdir():
        assert fetch(port, "GET", f"/{path.name}")[0] == 200


@pytest.mark.parametrize("path", ["/server.py", "/../server.py", "/%2e%2e/server.py", "//etc/passwd", "/static/"])
def test_it_serves_nothing_else(port: int, path: str) -> None:
    assert fetch(port, "GET", path)[0] == 404


def test_it_answers_requests(port: int) -> None:
    request = json.dumps({"kind": "curves", "expressions": ["warmup_linear(10, 100)"], "peak": "0.5"})
    origin = f"http://127.0.0.1:{port}"
    status, _, text = fetch(port, "POST", "/answer", request, Content_Type="application/json", Origin=origin)
    assert status == 200
    assert json.loads(text)["curves"][0]["boundaries"] == [[10, 0.5], [100, 0.0]]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"kind": "curves", "expressions": []}', "\u00e4"])
def test_a_malformed_request_is_reported(port: int, body: str) -> None:
    status, _, text = fetch(port, "POST", "/answer", body, Content_Type="application/json")
    assert status == 200
    assert set(json.loads(text)) == {"failure"}


def test_it_refuses_other_origins_hosts_and_types(port: int) -> None:
    request, json_type = '{"kind": "catalogue"}', "application/json"
    assert fetch(port, "POST", "/answer", request, Content_Type=json_type)[0] == 200
    for origin in ("https://example.com", "null", f"http://127.0.0.1:{port + 1}", f"https://127.0.0.1:{port}"):
        assert fetch(port, "POST", "/answer", request, Content_Type=json_type, Origin=origin)[0] == 403
        assert fetch(port, "GET", "/", Origin=origin)[0] == 403
    assert fetch(port, "GET", "/", Host="example.com")[0] == 403
    assert fetch(port, "GET", "/", Host="127.0.0.1.example.com")[0] == 403
    assert fetch(port, "GET", "/", Host="localhost:9000", Origin="http://localhost:9000")[0] == 200  # an SSH tunnel
    # A form of another site could send this type without asking first.
    assert fetch(port, "POST", "/answer", request, Content_Type="text/plain")[0] == 404
    assert fetch(port, "POST", "/other", request, Content_Type=json_type)[0] == 404


def test_it_refuses_large_requests(port: int) -> None:
    assert fetch(port, "POST", "/answer", "{}", Content_Type="application/json", Content_Length="1000001")[0] == 413
    assert fetch(port, "POST", "/answer", "{}", Content_Type="application/json", Content_Length="-1")[0] == 413


def test_the_address_has_the_expressions_and_settings() -> None:
    address = page_address(8000, ["constant(1)", "gpt-3"], {"peak": "3e-4"})
    assert address == "http://127.0.0.1:8000/#e=constant%281%29&e=gpt-3&peak=3e-4"
    assert page_address(8000, [], {}) == "http://127.0.0.1:8000/"
    with pytest.raises(ValueError, match="at most 6 expressions"):
        page_address(8000, ["constant()"] * 7, {})


def test_serve_prints_and_opens_the_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(server: ThreadingHTTPServer) -> None:
        raise KeyboardInterrupt

    opened: list[str] = []
    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    monkeypatch.setattr("webbrowser.open", opened.append)
    serve(["constant()"], open_browser=False)
    assert opened == []
    serve(["constant()"])
    (address,) = opened
    assert address.startswith("http://127.0.0.1:") and address.endswith("/#e=constant%28%29")
    assert f"The playground is at {address}\n" in capsys.readouterr().out
    for text, message in {
        "swin": "serve: swin counts epochs; the playground shows recipes that count updates or tokens",
        "constat()": "serve: unknown schedule 'constat'; did you mean 'constant'?",
    }.items():
        with pytest.raises(ValueError, match=re.escape(message)):
            serve(["constant()", text])
    assert len(opened) == 1
