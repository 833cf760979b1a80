"""Engines: the command lines for each of them, and vLLM's requests."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.config import load
from git_skillmesh.errors import ConfigurationError, Unavailable, UsageError
from git_skillmesh.git.repository import discover
from git_skillmesh.training.adapters.store import Store
from git_skillmesh.training.adapters.targets import TARGETS, Recipe, recipe
from git_skillmesh.training.adapters.vllm import Server, server_of
from testing.adapters import name_of, write_adapter
from testing.repos import Repo, make_repo

NAME = name_of(1)


def told(target: str, folder: Path, **how: str) -> Recipe:
    write_adapter(folder, NAME, base="/models/my base")
    entry, adapter = Store(folder).usable(NAME)
    return recipe(target, entry.folder, adapter, **how)


def test_vllm_gets_a_module(tmp_path: Path) -> None:
    assert told("vllm", tmp_path) == Recipe(
        "vllm",
        (f"vllm serve '/models/my base' --enable-lora --max-lora-rank 8"
         f" --lora-modules {NAME}={tmp_path / NAME}",),
    )  # fmt: skip


def test_a_rank_is_one_that_vllm_takes(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path, NAME)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 24}')
    entry, adapter = Store(tmp_path).usable(NAME)
    assert "--max-lora-rank 32 " in recipe("vllm", entry.folder, adapter).commands[0]


def test_vllm_is_told_while_it_runs(tmp_path: Path) -> None:
    found = told("vllm-api", tmp_path, url="http://127.0.0.1:9999", base="org/base")
    body = json.dumps({"lora_name": NAME, "lora_path": str(tmp_path / NAME)})
    assert found.commands == (
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve org/base --enable-lora --max-lora-rank 8",
        "curl -fsS -X POST http://127.0.0.1:9999/v1/load_lora_adapter"
        f" -H 'Content-Type: application/json' -d '{body}'",
    )


def test_ollama_gets_a_modelfile(tmp_path: Path) -> None:
    found = told("ollama", tmp_path, base="qwen2.5-coder:0.5b")
    assert found.commands == (f"ollama create {NAME} -f Modelfile",)
    assert found.files == {"Modelfile": f"FROM qwen2.5-coder:0.5b\nADAPTER {tmp_path / NAME}\n"}
    assert "name the GGUF file behind ADAPTER" in found.notes[0]


@pytest.mark.parametrize(("kind", "converts"), [("qwen2", True), ("llama", False)])
def test_ollama_gets_what_it_takes(kind: str, converts: bool, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(json.dumps({"model_type": kind}))
    found = told("ollama", tmp_path / "store", base=str(base))
    folder = tmp_path / "store" / NAME
    convert = (
        f"python convert_lora_to_gguf.py --base {base} --outtype f16 --outfile {NAME}.gguf {folder}"
    )
    assert found.commands[:-1] == ((convert,) if converts else ())
    weights = f"./{NAME}.gguf" if converts else str(folder)
    assert found.files == {"Modelfile": f"FROM {base}\nADAPTER {weights}\n"}


def test_llama_cpp_converts_both(tmp_path: Path) -> None:
    assert told("llama.cpp", tmp_path).commands == (
        "python convert_hf_to_gguf.py '/models/my base' --outfile base.gguf",
        f"python convert_lora_to_gguf.py --base '/models/my base' --outtype f16"
        f" --outfile {NAME}.gguf {tmp_path / NAME}",
        f"llama-server -m base.gguf --lora {NAME}.gguf --alias {NAME}",
    )


def test_our_own_server(tmp_path: Path) -> None:
    assert told("transformers", tmp_path).commands == (
        f"git skillmesh adapters serve --adapter {NAME} --base '/models/my base'",
    )


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_no_line_can_be_added_to_a_command(target: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="characters that engines cannot read"):
        told(target, tmp_path, base="x\nADAPTER /etc")


def test_an_unknown_engine(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        told("triton", tmp_path)
    assert str(raised.value) == (
        "no such target: triton: vllm, vllm-api, ollama, llama.cpp, transformers"
    )


class Vllm(HTTPServer):
    """A stand-in that takes the requests which vLLM documents, and no others."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.loaded: dict[str, str] = {}
        self.seen: list[tuple[str, Any, str]] = []
        self.off = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Vllm

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, body, self.headers.get("Authorization", "")))
        name, loaded = body["lora_name"], self.server.loaded
        if self.server.off:
            return self._say(404, '{"detail":"Not Found"}')
        if self.path == "/v1/load_lora_adapter" and set(body) == {"lora_name", "lora_path"}:
            if name in loaded:
                return self._wrong(400, f"The lora adapter '{name}' has already been loaded.")
            if not Path(body["lora_path"], "adapter_config.json").is_file():
                return self._wrong(404, f"Loading lora {name} failed: No adapter found")
            loaded[name] = body["lora_path"]
            return self._say(200, f"Success: LoRA adapter '{name}' added successfully.")
        if self.path == "/v1/unload_lora_adapter" and set(body) == {"lora_name"}:
            if name not in loaded:
                return self._wrong(404, f"The lora adapter '{name}' cannot be found.")
            del loaded[name]
            return self._say(200, f"Success: LoRA adapter '{name}' removed successfully.")
        return self._wrong(400, "no such request")

    def _wrong(self, code: int, message: str) -> None:
        error = {"message": message, "type": "BadRequest", "param": None, "code": code}
        self._say(code, json.dumps({"error": error}))

    def _say(self, code: int, text: str) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def vllm() -> Iterator[Vllm]:
    made = Vllm()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_vllm_on_this_machine_is_reached_through_no_proxy(
    vllm: Vllm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    Server(vllm.url, "secret").load(NAME, write_adapter(tmp_path, NAME))
    assert list(vllm.loaded) == [NAME]


def test_what_answers_is_no_server(tmp_path: Path) -> None:
    class Garbage(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            self.request.sendall(b"not HTTP at all\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Garbage) as made:
        threading.Thread(target=made.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{made.server_address[1]}"
        with pytest.raises(Unavailable, match=f"cannot reach vLLM at {url}: not HTTP at all"):
            Server(url, "").load(NAME, tmp_path)


def test_vllm_loads_and_unloads(vllm: Vllm, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path, NAME)
    server = Server(vllm.url, "secret")
    assert server.load(NAME, folder) == f"Success: LoRA adapter '{NAME}' added successfully."
    assert server.load(NAME, folder) == f"The lora adapter '{NAME}' has already been loaded."
    assert vllm.loaded == {NAME: str(folder)}
    server.unload(NAME)
    server.unload(NAME)
    assert vllm.loaded == {}
    assert {token for _, _, token in vllm.seen} == {"Bearer secret"}
    with pytest.raises(Unavailable, match=r"answers 404: Loading lora .* No adapter found"):
        server.load(NAME, tmp_path)
    vllm.off = True
    with pytest.raises(Unavailable, match="answers 404"):
        server.load(NAME, folder)
    with pytest.raises(Unavailable, match=r"cannot reach vLLM at http://127\.0\.0\.1:1: "):
        Server("http://127.0.0.1:1", "").load(NAME, folder)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path / "repo")


def chosen(repo: Repo, url: str = "", **environ: str) -> str:
    return server_of(load(discover(repo.path), environ=environ), url).url


def test_a_token_stays_here(repo: Repo) -> None:
    assert chosen(repo) == "http://127.0.0.1:8000"
    assert chosen(repo, "https://gpu.example:8443/v1/", VLLM_API_KEY="s") == (
        "https://gpu.example:8443"
    )
    with pytest.raises(ConfigurationError, match=r"gpu\.example is another machine without TLS"):
        chosen(repo, "http://gpu.example:8000", VLLM_API_KEY="s")
    assert chosen(repo, "http://gpu.example:8000") == "http://gpu.example:8000"
    repo.write(".skillmesh/config.toml", '[vllm]\nurl = "https://evil.example"\n')
    with pytest.raises(ConfigurationError, match=r"vllm\.url is no setting for"):
        chosen(repo)
    repo.write(".skillmesh/config.toml", "")
    repo.git("config", "skillmesh.vllm.url", "https://gpu.example")
    assert chosen(repo) == "https://gpu.example"


@pytest.mark.parametrize("url", ["gpu:8000", "file:///etc/passwd", "http://", "http://a:b@c",
                                 "http://x:port", "http://x/?y=1"])  # fmt: skip
def test_what_is_no_address(url: str, repo: Repo) -> None:
    with pytest.raises(ConfigurationError, match="not the address of a server"):
        chosen(repo, url)
