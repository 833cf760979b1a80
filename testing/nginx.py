"""Debian's nginx in front of a Chroma server, as docs/team.md tells a team to set it up.

In: a folder, the port of the server, a token. Out: `Nginx`, with TLS by an authority of its own.
The configuration is the very one of the documentation, with other ports and paths.
"""

import datetime
import ipaddress
import re
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .chroma_server import free_port

SITE = Path(__file__).parents[1] / "docs" / "examples" / "nginx-chroma.conf"
_START_S = 20.0
_FRAME = """\
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
master_process off;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
}}
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority, its certificate in `file`, and a server's that it vouches for."""

    file: Path
    certificate: Path
    key: Path


def make_authority(folder: Path, host: str = "127.0.0.1") -> Authority:
    """Make an authority and a certificate for a host."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example authority")])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, x509.BasicConstraints(True, None))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    made = _certificate(name, ca_name, key, ca_key, names)
    found = Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    pem = serialization.Encoding.PEM
    found.file.write_bytes(ca.public_bytes(pem))
    found.certificate.write_bytes(made.public_bytes(pem))
    found.key.write_bytes(
        key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return found


def _certificate(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .add_extension(identifier, critical=False)
        .add_extension(authority, critical=False)
        .sign(signer, hashes.SHA256())
    )


class Nginx:
    """nginx on the loopback interface; `url` is where Chroma is found behind it."""

    def __init__(
        self, program: str, folder: Path, chroma_port: int, token: str, body: str = "64m"
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}/chroma"
        self.authority = make_authority(folder)
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        site = SITE.read_text()
        for old, new in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("chroma.example.org", "127.0.0.1"),
            ("/etc/ssl/chroma/server.pem", str(self.authority.certificate)),
            ("/etc/ssl/private/chroma.key", str(self.authority.key)),
            ("127.0.0.1:8000", f"127.0.0.1:{chroma_port}"),
            ("/etc/nginx/chroma-tokens", str(folder / "tokens")),
            ("client_max_body_size 64m;", f"client_max_body_size {body};"),
        ):
            assert old in site, old
            site = site.replace(old, new)
        (folder / "tokens").write_text(f'"Bearer {token}" ada;\n')
        (folder / "nginx.conf").write_text(_FRAME.format(folder=folder, site=site))

    def start(self) -> None:
        """Start it and wait until it listens. Raises RuntimeError with what it says."""
        self._process = subprocess.Popen(
            [self._program, "-p", self.folder, "-c", self.folder / "nginx.conf"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "stderr").open("wb"),
        )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "stderr").read_text())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"nginx did not listen for {_START_S} s")

    def stop(self) -> None:
        """Stop it and wait until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def requests(self) -> list[str]:
        """Return the method, path and status of each request, in order."""
        log = (self.folder / "access.log").read_text()
        return [" ".join(found) for found in re.findall(r'"(\S+) (\S+) [^"]*" (\d+)', log)]
