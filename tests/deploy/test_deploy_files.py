"""The files of deploy/: nginx as it is, in front of a real Chroma server; the compose file."""

import re
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import chromadb
import pytest
import yaml

from testing.chroma_server import ChromaServer, free_port
from testing.docs_pages import ROOT

DEPLOY = ROOT / "deploy"
TOKEN = "5e0c" * 16
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


@pytest.fixture(scope="module")
def proxy(
    server: ChromaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """nginx with deploy/nginx.conf, only places are other ones: its address, its certificate."""
    if not Path(NGINX).exists():
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("deploy")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", folder / "tls.key", "-out", folder / "tls.crt", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "tokens.map").write_text(f'"Bearer {TOKEN}" alice;\n')
    port = free_port()
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in (
        ("server chroma:8000;", f"server 127.0.0.1:{server.port};"),
        ("/etc/nginx/secrets/", f"{folder}/"),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("/tmp/nginx.pid", f"{folder}/nginx.pid"),  # noqa: S108
        ("/dev/stdout", f"{folder}/access.log"),
        ("/dev/stderr", f"{folder}/error.log"),
        ("worker_processes auto;", "worker_processes 1; daemon off;"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"])
    url = f"https://127.0.0.1:{port}"
    for _ in range(100):
        if answer(url, "/healthy", "", folder / "tls.crt") == 204:
            break
        time.sleep(0.05)
    yield url, folder / "tls.crt"
    process.terminate()
    process.wait()
    logged = (folder / "access.log").read_text()
    assert TOKEN not in logged
    assert " alice [" in logged


def answer(url: str, path: str, token: str, authority: Path, data: bytes | None = None) -> int:
    """Return the status of a request."""
    context = ssl.create_default_context(cafile=str(authority))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url + path, data=data, headers=headers)  # noqa: S310
    try:
        with opener.open(request, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except (urllib.error.URLError, OSError):
        return 0


def test_no_token_no_data(proxy: tuple[str, Path]) -> None:
    address, authority = proxy
    beat = "/api/v2/heartbeat"
    assert answer(address, beat, "", authority) == 401
    assert answer(address, beat, TOKEN[:-1], authority) == 401
    assert answer(address, beat, TOKEN, authority) == 200
    # Plain text is not answered, nor is a body refused that nginx refuses by default.
    assert answer(address.replace("https", "http"), beat, TOKEN, authority) == 400
    # Chroma knows no such path, and may close before it has read everything.
    large = answer(address, "/api/v2/nothing", TOKEN, authority, b"x" * 2_000_000)
    assert large in (404, 502)


def test_the_compose_file() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    chroma, proxy = compose["services"]["chroma"], compose["services"]["proxy"]
    # The version that everything here is tested with.
    assert chroma["image"] == f"docker.io/chromadb/chroma:{chromadb.__version__}"
    assert "ports" not in chroma
    assert chroma["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}
    for service in (chroma, proxy):
        name, _, tag = service["image"].rpartition(":")
        assert name
        assert tag[0].isdigit()
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in ("./nginx.conf", "./chroma.yaml", "./secrets", "chroma-data")
    # One by one they would be mounted as they were at the start, whatever is written since.
    assert "./secrets:/etc/nginx/secrets:ro" in proxy["volumes"]
    assert (DEPLOY / ".gitignore").read_text() == "secrets/\n"
    known = yaml.safe_load((DEPLOY / "chroma.yaml").read_text())
    assert (known["persist_path"], known["allow_reset"]) == ("/data", False)


def test_the_health_of_chroma_is_asked_with_what_its_image_has(server: ChromaServer) -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    chroma = compose["services"]["chroma"]
    kind, *command = chroma["healthcheck"]["test"]
    assert (kind, command[:2]) == ("CMD", ["bash", "-c"])
    # "$" would be a variable of compose, and Debian's slim image has no curl.
    assert not {"$", "curl", "wget"} & set(re.findall(r"[$]|\w+", command[2]))

    def health(port: int) -> int:
        assert command[2].count("/8000 ") == 1
        asked = [*command[:2], command[2].replace("/8000 ", f"/{port} ")]
        return subprocess.run(asked, stderr=subprocess.DEVNULL).returncode

    assert health(server.port) == 0
    assert health(free_port()) != 0
