import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from threading import Thread
from typing import Any

import numpy as np
import pytest

from git_skillmesh.embedding.providers import make_embedder
from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.errors import ConfigurationError, ExitCode, Unavailable

KEY = "sk-do-not-print-this"


class EmbeddingServer:
    """A server on loopback that speaks the API of Hugging Face's text-embeddings-inference."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.authorization: list[str | None] = []
        self.answer: Callable[[list[str]], Any] = lambda texts: [
            [3.0, 0.0, 4.0 * len(text)] for text in texts
        ]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body["inputs"])
                outer.authorization.append(self.headers["Authorization"])
                content = json.dumps(outer.answer(body["inputs"])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/embed"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    running = EmbeddingServer()
    yield running
    running.stop()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("provider", ["", "builtin", " BuiltIn "])
def test_without_a_provider_the_built_in_model_embeds(provider: str) -> None:
    embedder = make_embedder(provider, "", {})
    assert isinstance(embedder, StaticEmbedder)
    assert embedder.model_id == StaticEmbedder.load().model_id


def test_the_built_in_model_does_not_import_chroma() -> None:
    code = (
        "import sys; from git_skillmesh.embedding.providers import make_embedder\n"
        "make_embedder('', '', {}).embed_query('parse json'); print('chromadb' in sys.modules)"
    )
    assert _run(code, {}) == "False\n"


def test_a_server_embeds_texts_in_batches(server: EmbeddingServer) -> None:
    embedder = make_embedder("huggingface-server", server.url, {})
    texts = ["x" * (1 + number % 7) for number in range(130)]
    rows = embedder.embed_documents(texts)

    assert [len(batch) for batch in server.requests] == [64, 64, 2]
    assert [text for batch in server.requests for text in batch] == texts
    assert rows.dtype == np.float32
    assert rows.shape == (130, 3)
    wanted = np.array([[3.0, 0.0, 4.0 * len(text)] for text in texts])
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(rows, wanted, atol=1e-6)
    assert embedder.dimension == 3
    assert embedder.model_id == f"huggingface_server:{server.url}"
    np.testing.assert_allclose(embedder.embed_query("x"), [0.6, 0, 0.8], atol=1e-6)


def test_the_dimension_is_found_by_asking(server: EmbeddingServer) -> None:
    embedder = make_embedder("huggingface_server", server.url, {})
    assert (embedder.dimension, embedder.dimension) == (3, 3)
    assert server.requests == [["dimension"]]


def test_blank_texts_are_zeros_and_are_not_sent(server: EmbeddingServer) -> None:
    embedder = make_embedder("huggingface_server", server.url, {})
    rows = embedder.embed_documents(["", "word", " \n"])
    assert server.requests == [["word"]]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [0, 1, 0], atol=1e-6)
    assert embedder.embed_documents([]).shape == (0, 3)
    np.testing.assert_array_equal(embedder.embed_query(" "), np.zeros(3))
    assert server.requests == [["word"]]


def test_a_vector_of_zeros_stays_zero(server: EmbeddingServer) -> None:
    server.answer = lambda texts: [[0.0, 0.0] for _ in texts]
    embedder = make_embedder("huggingface_server", server.url, {})
    np.testing.assert_array_equal(embedder.embed_query("word"), np.zeros(2))


def test_the_key_comes_from_env_and_stays_out_of_the_process(server: EmbeddingServer) -> None:
    env = {"HUGGINGFACE_API_KEY": KEY}
    make_embedder("huggingface_server", server.url, env).embed_query("word")
    assert server.authorization == [f"Bearer {KEY}"]
    assert KEY not in os.environ.values()


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "overloaded"},
        [],
        [[1.0, 2.0], [1.0, 2.0]],
        [[float("nan"), 1.0]],
        [["one", "two"]],
        "nothing",
        None,
    ],
)
def test_an_answer_that_is_not_vectors_is_refused(server: EmbeddingServer, answer: Any) -> None:
    server.answer = lambda texts: answer
    embedder = make_embedder("huggingface_server", server.url, {})
    with pytest.raises(Unavailable, match=r"^the embedding provider huggingface_server "):
        embedder.embed_query("word")


def test_a_change_of_dimension_is_refused(server: EmbeddingServer) -> None:
    embedder = make_embedder("huggingface_server", server.url, {})
    embedder.embed_query("word")
    server.answer = lambda texts: [[1.0, 2.0] for _ in texts]
    with pytest.raises(Unavailable) as raised:
        embedder.embed_query("word")
    assert str(raised.value) == (
        "the embedding provider huggingface_server answered 1 texts with an array of shape "
        "(1, 2): check EMBEDDING_MODEL_NAME"
    )


def test_a_server_that_is_down_is_one_line(closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/embed"
    embedder = make_embedder("huggingface_server", url, {})
    with pytest.raises(Unavailable) as raised:
        embedder.embed_documents(["word"])
    assert raised.value.exit_code == ExitCode.UNAVAILABLE
    assert raised.value.what.startswith(
        "the embedding provider huggingface_server failed (ConnectError: "
    )
    assert "\n" not in str(raised.value)


def test_a_key_in_an_error_is_not_repeated() -> None:
    # The address is wrong in a way that the client's own message repeats in full.
    url = f"http://127.0.0.1:99999/{KEY}\x1b[31m"
    embedder = make_embedder("huggingface_server", url, {"HUGGINGFACE_API_KEY": KEY})
    with pytest.raises(Unavailable) as raised:
        embedder.embed_query("word")
    assert KEY not in str(raised.value)
    assert str(raised.value).isprintable()


def test_an_unknown_provider_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError) as raised:
        make_embedder("opnai", "", {})
    assert raised.value.what == "unknown embedding provider 'opnai'"
    known = raised.value.mend.removeprefix("set EMBEDDING_MODEL_PROVIDER to one of ").split(", ")
    assert {"builtin", "openai", "ollama", "cohere", "huggingface", "default"} <= set(known)


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("cohere", "COHERE_API_KEY"),
        ("huggingface", "HUGGINGFACE_API_KEY"),
        ("google", "GEMINI_API_KEY"),
        ("voyage", "VOYAGE_API_KEY"),
    ],
)
def test_a_missing_key_names_its_variable(provider: str, variable: str) -> None:
    with pytest.raises(Unavailable, match=rf"needs a key: set {variable}$") as raised:
        make_embedder(provider, "", {"UNRELATED": "x"})
    assert raised.value.exit_code == ExitCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("provider", "module", "package"),
    [
        ("sentence_transformer", "sentence_transformers", "sentence_transformers"),
        ("sentence-transformers", "sentence_transformers", "sentence_transformers"),
        ("ollama", "ollama", "ollama"),
        ("openai", "openai", "openai"),
    ],
)
def test_a_missing_package_is_named(provider: str, module: str, package: str) -> None:
    if find_spec(module):
        pytest.skip(f"{module} is installed here")
    with pytest.raises(Unavailable) as raised:
        make_embedder(provider, "some-model", {"OPENAI_API_KEY": KEY})
    registered = provider.replace("-", "_").replace("transformers", "transformer")
    assert str(raised.value) == (
        f"the embedding provider {registered} needs the package {package}: pip install {package}"
    )


def test_a_provider_without_a_default_model_asks_for_one() -> None:
    with pytest.raises(ConfigurationError) as raised:
        make_embedder("mistral", "", {"MISTRAL_API_KEY": KEY})
    assert str(raised.value) == (
        "the embedding provider mistral needs a model: set EMBEDDING_MODEL_NAME"
    )


def test_a_provider_that_a_name_cannot_configure_says_so() -> None:
    with pytest.raises(ConfigurationError) as raised:
        make_embedder("amazon_bedrock", "amazon.titan-embed-text-v1", {})
    assert str(raised.value) == (
        "the embedding provider amazon_bedrock needs session, which no setting can give: "
        "choose another EMBEDDING_MODEL_PROVIDER"
    )


def test_the_default_model_of_a_provider_is_part_of_the_model_id() -> None:
    embedder = make_embedder("huggingface", "", {"HUGGINGFACE_API_KEY": KEY})
    assert embedder.model_id == "huggingface:sentence-transformers/all-MiniLM-L6-v2"


def test_a_model_that_cannot_be_downloaded_is_one_line(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    with pytest.raises(Unavailable) as raised:
        make_embedder("onnx", "", {}).embed_query("word")
    assert raised.value.what.split(" (")[0] == ("the embedding provider onnx_mini_lm_l6_v2 failed")


def _run(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
