"""A private amazonaws.com: a private authority, and a proxy in the place of private DNS.

Programs that believe only in AWS's own host names are sent here by
HTTPS_PROXY.  The proxy answers every CONNECT with a tunnel to one loopback
port, whatever the name, so nothing ever leaves the machine; TLS is between the
program and our server.
"""

from __future__ import annotations

import datetime as dt
import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

DOMAIN = "amazonaws.com"
LIFETIME = dt.timedelta(days=1)


class Certificate(NamedTuple):
    """A certificate that is its own authority, and its key."""

    chain: Path
    key: Path


@contextmanager
def road_to(port: int, certificate: Certificate) -> Generator[dict[str, str]]:
    """Lead every host name to a loopback port; yield the variables that send a program this way."""

    class Tunnel(_Tunnel):
        target = port

    with _Proxy(("127.0.0.1", 0), Tunnel) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            entrance = f"http://127.0.0.1:{proxy.server_address[1]}"
            yield {
                "HTTPS_PROXY": entrance,
                "HTTP_PROXY": entrance,
                "AWS_CA_BUNDLE": str(certificate.chain),
                "SSL_CERT_FILE": str(certificate.chain),
            }
        finally:
            proxy.shutdown()
            thread.join()


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Tunnel(socketserver.StreamRequestHandler):
    target: int
    rbufsize = 0  # nothing that belongs to the tunnel may wait in a buffer

    def handle(self) -> None:
        asked = self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # the rest does not matter: every road leads to one port
        if not asked.startswith(b"CONNECT "):
            self.wfile.write(b"HTTP/1.1 502 Without TLS there is no road\r\nConnection: close\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            answers = threading.Thread(target=_pour, args=(server, self.connection))
            answers.start()
            _pour(self.connection, server)
            answers.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends, and say so to the target."""
    try:
        while piece := source.recv(1 << 16):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one side has hung up


def certify(hosts: list[str], folder: Path) -> Certificate:
    """Write a certificate for `hosts`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a private amazonaws.com")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFETIME)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / "amazon.crt", folder / "amazon.key")
    files.chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
