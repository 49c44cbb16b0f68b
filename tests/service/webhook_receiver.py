"""A receiver of webhooks on a loopback address that behaves, or misbehaves, as its path says."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Receiver:
    """What came, and how often each path is still to fail."""

    def __init__(self, address: str = "127.0.0.1", certificate: Path | None = None) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.failures: Counter[str] = Counter()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                with contextlib.suppress(OSError):
                    receiver.answer(self)

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://{address}:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        if self.failures[path] > 0:
            self.failures[path] -= 1
            handler.send_response(500)
        elif path == "/redirect":
            handler.send_response(307)
            handler.send_header("location", f"{self.url}/elsewhere")
        elif path == "/slow":
            time.sleep(1.5)
            handler.send_response(204)
        elif path == "/drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(15):
                handler.wfile.write(f"x-{number}: 1\r\n".encode())
                handler.wfile.flush()
                time.sleep(0.1)
        elif path == "/endless":
            handler.send_response(200)
            handler.send_header("content-length", str(1 << 40))
            handler.end_headers()
            while True:
                handler.wfile.write(b"x" * 65_536)
        else:
            handler.send_response(204)
        handler.send_header("content-length", "0")
        handler.end_headers()


@contextlib.contextmanager
def receiving(address: str = "127.0.0.1", certificate: Path | None = None) -> Iterator[Receiver]:
    """Yield a receiver."""
    receiver = Receiver(address, certificate)
    try:
        yield receiver
    finally:
        receiver.close()


def certificate_for(name: str, file: Path) -> Path:
    """Return a file with a key and a certificate of a name, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file
