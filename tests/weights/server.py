"""A server of files on this machine, which can do what servers on the way do wrong."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>"


@dataclass
class Site:
    """What is served, by its path, and what was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    """Paths where a page is in place of the file, and the type that it is said to have: it can be
    known by that or by its content."""
    refused: dict[str, int] = field(default_factory=dict)
    """Paths that answer with an error of this number."""
    breaks_after: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which the next answers break off, one after the other."""
    tags: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and range, in order."""
    address: str = ""

    def url(self, path: str) -> str:
        return self.address + path


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serves on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, site)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, site: Site) -> None:
    path = request.path.split("?")[0]
    asked = request.headers.get("Range", "")
    site.asked.append((path, asked))
    if path in site.moved:
        _say(request, 302, b"", {"Location": site.moved[path]})
    elif path in site.refused:
        _say(request, site.refused[path], b"no")
    elif path in site.pages:
        kind = site.pages[path]
        said = b"Please sign in" if kind.startswith("text/html") else PAGE
        _say(request, 200, said, {"Content-Type": kind})
    elif path not in site.files:
        _say(request, 404, b"nothing here")
    else:
        _serve(request, site, path, asked)


def _serve(request: BaseHTTPRequestHandler, site: Site, path: str, asked: str) -> None:
    whole, tag = site.files[path], site.tags.get(path, '"one"')
    headers = {"ETag": tag} if tag else {}
    start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
    if not asked or request.headers.get("If-Range") != tag:
        start = 0
    elif start >= len(whole):
        _say(request, 416, b"")
        return
    else:
        headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
    breaks = site.breaks_after.get(path, [])
    cut = breaks.pop(0) if breaks else len(whole)
    _say(request, 206 if "Content-Range" in headers else 200, whole[start:], headers, cut)


def _say(
    request: BaseHTTPRequestHandler,
    status: int,
    content: bytes,
    headers: dict[str, str] | None = None,
    cut: int | None = None,
) -> None:
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content[:cut])
