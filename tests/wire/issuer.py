"""An OpenID Connect issuer on loopback: it serves its keys over TLS, signs tokens, and changes keys when told to."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from portside.server import tls

AUDIENCE = "sts.amazonaws.com"


def encoded(content: bytes) -> str:
    """Base64 for URLs, without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def number(value: int) -> str:
    """A number as JSON Web Keys hold it."""
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Issuer:
    """Keys and tokens; `url` is set when it is served."""

    def __init__(self) -> None:
        self.url = "https://issuer.example"
        self.asked = 0
        self.answers: dict[str, tuple[int, bytes]] = {}
        """What it answers instead of the truth, by path."""
        self.drip = 0.0
        """Seconds after each byte of an answer."""
        self.rotate("one")

    def rotate(self, name: str) -> None:
        """Sign with new keys from now on."""
        self.name = name
        self._rsa = rsa.generate_private_key(65537, 2048)
        self._curve = ec.generate_private_key(ec.SECP256R1())

    @property
    def key_set(self) -> dict[str, Any]:
        """The public keys."""
        public, point = self._rsa.public_key().public_numbers(), self._curve.public_key().public_numbers()
        return {
            "keys": [
                {"kty": "RSA", "kid": f"rsa-{self.name}", "n": number(public.n), "e": number(public.e), "use": "sig"},
                {"kty": "EC", "kid": f"ec-{self.name}", "crv": "P-256", "x": number(point.x), "y": number(point.y)},
                {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
            ]
        }

    def token(self, algorithm: str = "RS256", head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed token; None leaves a claim out."""
        now = int(time.time())
        every = {"iss": self.url, "sub": "repo:team/app", "aud": AUDIENCE, "iat": now, "exp": now + 86_400, **claims}
        kept = {name: value for name, value in every.items() if value is not None}
        return self.signed(algorithm, json.dumps(kept), head)

    def signed(self, algorithm: str, claims: str, head: dict[str, Any] | None = None) -> str:
        """A signed token with these claims, as they stand."""
        kind = "ec" if algorithm == "ES256" else "rsa"
        parts = [json.dumps({"alg": algorithm, "kid": f"{kind}-{self.name}", **(head or {})}), claims]
        signed = ".".join(encoded(part.encode()) for part in parts)
        return f"{signed}.{encoded(self._signature(algorithm, signed.encode()))}"

    def _signature(self, algorithm: str, signed: bytes) -> bytes:
        if algorithm == "RS256":
            return self._rsa.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        if algorithm == "ES256":
            first, second = decode_dss_signature(self._curve.sign(signed, ec.ECDSA(hashes.SHA256())))
            return first.to_bytes(32, "big") + second.to_bytes(32, "big")
        return b""


@contextmanager
def served(folder: Path) -> Iterator[tuple[Issuer, Path]]:
    """Serve an issuer; yield it and the authority that its certificate is of."""
    certificate = tls.ensure(folder, ("localhost",), datetime.now(UTC))
    issuer = Issuer()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            about = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
            truth = json.dumps(issuer.key_set if self.path == "/keys" else about).encode()
            status, content = issuer.answers.get(self.path, (200, truth))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Location", f"{issuer.url}/elsewhere")
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked may have had enough
                self._answer(content)

        def _answer(self, content: bytes) -> None:
            if not issuer.drip:
                self.wfile.write(content)
            for byte in content if issuer.drip else b"":
                self.wfile.write(bytes([byte]))
                time.sleep(issuer.drip)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    assert certificate.authority is not None
    try:
        yield issuer, certificate.authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
