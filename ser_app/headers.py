"""What stands between the app and browsers: every answer says what a page may do, no more than the app itself does.

`streamlit run` has no setting for headers; Streamlit's `App` takes what stands between it and the browser (serve.py).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def inline_scripts(html: str) -> str:
    """The scripts that stand in a page's text, as a policy names them: by their hashes."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


# Streamlit's page; all others of its files are scripts, styles, fonts and pictures.
INDEX = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")

POLICY = {
    "default-src": "'self'",
    "script-src": f"'self' blob: {inline_scripts(INDEX)}",  # components of the app's own come as blobs
    "connect-src": "'self' blob:",  # what the browser recorded is fetched from there before it is uploaded
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
"""By kind of thing, where it may come from. No page of another site may show the app in a frame."""

HEADERS = {
    "Content-Security-Policy": "; ".join(f"{kind} {sources}" for kind, sources in POLICY.items()),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class WithHeaders:
    """An application whose answers have `HEADERS`."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow a WebSocket."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        # Streamlit 1.67 does not expect that a tab is closed while a file arrives: the log would have a traceback.
        with contextlib.suppress(ClientDisconnect):
            await self.app(scope, receive, send_on)


SECURED = Middleware(WithHeaders)
