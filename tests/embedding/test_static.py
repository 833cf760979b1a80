import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.embedding import static
from git_skillmesh.embedding.static import FIELD_WEIGHTS, Fields, StaticEmbedder
from git_skillmesh.embedding.tokens import identifiers
from git_skillmesh.errors import Damaged, ExitCode

MODEL = StaticEmbedder.load()

TEXTS = [
    "def open_connection(host, port): return socket.create_connection((host, port))",
    "class HTTPServer: pass",
    "größe 検索エンジン naïve",
    "x",
]
WORDS = [*identifiers(" ".join(TEXTS)), "parseJSON2", "utf8", "SHA256"]

# (a question, what should be nearer to it, what should be farther)
TRIPLES = [
    ("send an email", "smtp.deliver(message, recipient)", "matrix.transpose()"),
    ("delete a user account", "def remove_member(id): users.drop(id)", "render_chart(axis)"),
    ("parse json", "decoder.loads(text)", "thread.start()"),
    ("http request retry", "def fetch_again(url, attempts): backoff()", "color_to_rgb(hex)"),
    ("connect to the database", "sql.open_session(dsn)", "image.resize(width, height)"),
    ("encrypt a password", "bcrypt.hash(secret, salt)", "window.scroll(top)"),
    ("read a file from disk", "with open(path) as stream: stream.read()", "socket.listen(backlog)"),
    ("sort a list", "items.order(key=rank)", "logger.warning(message)"),
    ("wait until the thread finishes", "worker.join(timeout)", "font.bold()"),
    ("date formatting", "strftime(year, month, day)", "tcp.send(packet)"),
    ("authentication token", "def login(credentials): return jwt.sign(user)", "blur(pixels)"),
    ("unit tests", "assert expected == actual", "mutex.lock()"),
    ("draw a circle", "canvas.arc(x, y, radius)", "cursor.execute(statement)"),
    ("compress an archive", "zip.deflate(bytes)", "button.on_click(handler)"),
    ("cache eviction", "lru.expire(stale_entries)", "parser.add_argument(flag)"),
    ("websocket handshake", "def upgrade_protocol(socket, headers): pass", "mean(values)"),
    ("list of files in a directory", "os.scandir(folder)", "math.sqrt(number)"),
    ("convert temperature", "def fahrenheit(celsius_degrees): pass", "repository.commit(author)"),
    ("memory allocation", "malloc(buffer_size)", "title.capitalize()"),
    ("payment by credit card", "invoice.charge(amount, currency)", "tree.rotate_left(node)"),
]


@pytest.mark.parametrize(("question", "near", "far"), TRIPLES)
def test_related_texts_are_nearer_than_unrelated_ones(question: str, near: str, far: str) -> None:
    query = MODEL.embed_query(question)
    near_row, far_row = MODEL.embed_documents([near, far])
    assert query @ near_row > query @ far_row


def test_documents_are_rows_of_unit_length() -> None:
    rows = MODEL.embed_documents(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (len(TEXTS), MODEL.dimension) == (4, 256)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("text", ["", " \n", "+-*/ ()", "\u2603"])
def test_a_text_without_a_known_word_gives_zeros(text: str) -> None:
    zeros = np.zeros(256, np.float32)
    np.testing.assert_array_equal(MODEL.embed_query(text), zeros)
    np.testing.assert_array_equal(MODEL.embed_documents(["parse", text])[1], zeros)


def test_no_texts_give_no_rows() -> None:
    assert MODEL.embed_documents([]).shape == (0, 256)


def test_a_text_embeds_alike_as_query_document_and_bag() -> None:
    for text, row in zip(TEXTS, MODEL.embed_documents(TEXTS), strict=True):
        np.testing.assert_array_equal(MODEL.embed_query(text), row)
        np.testing.assert_array_equal(MODEL.embed_bag(Counter(identifiers(text))), row)


@given(
    st.dictionaries(st.sampled_from(WORDS), st.integers(1, 3000)),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_bag_does_not_matter(bag: dict[str, int], random: Random) -> None:
    shuffled = list(bag.items())
    random.shuffle(shuffled)
    assert MODEL.embed_bag(bag).tobytes() == MODEL.embed_bag(dict(shuffled)).tobytes()


@given(st.text(max_size=200))
def test_any_text_gives_a_unit_vector_or_zeros(text: str) -> None:
    length = float(np.linalg.norm(MODEL.embed_query(text)))
    assert length == 0 or abs(length - 1) < 1e-6


def test_every_piece_may_occur_a_million_times() -> None:
    bag = dict.fromkeys((static.DATA / static.VOCABULARY).read_text("utf-8").split(), 10**6)
    assert abs(float(np.linalg.norm(MODEL.embed_bag(bag))) - 1) < 1e-6


def test_fields_are_unit_vectors_added_by_their_weights() -> None:
    body = Counter(identifiers("def deliver(message, recipient): " + "smtp.send(message)\n" * 9))
    bags = Fields(body, {"deliver": 2}, {"mail": 1}, {"notify": 1, "src": 1})
    wanted = sum(
        weight * MODEL.embed_bag(bag) for weight, bag in zip(FIELD_WEIGHTS, bags, strict=True)
    )
    found = MODEL.embed_fields(bags)
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-6)
    query = MODEL.embed_query("mail notification")
    assert query @ found > query @ MODEL.embed_bag(body) + 0.1


def test_the_next_file_has_its_own_path() -> None:
    body, none = {"parse": 1}, dict[str, int]()
    pieces = [Fields(body, none, {name: 1}, none) for name in ("json", "json", "socket")]
    rows = [MODEL.embed_fields(piece).tobytes() for piece in pieces]
    assert rows[0] == rows[1] != rows[2]
    assert rows[2] == StaticEmbedder.load().embed_fields(pieces[2]).tobytes()


def test_fields_without_a_known_word_give_zeros() -> None:
    assert not MODEL.embed_fields(Fields({}, {}, {}, {"\u2603": 1})).any()


def test_a_field_may_be_as_long_as_the_others_together() -> None:
    bag = dict.fromkeys((static.DATA / static.VOCABULARY).read_text("utf-8").split(), 10**6)
    row = MODEL.embed_fields(Fields(bag, bag, bag, bag))
    np.testing.assert_allclose(row, MODEL.embed_bag(bag), atol=1e-6)


def test_every_process_gives_the_same_bits() -> None:
    code = (
        "import sys; from git_skillmesh.embedding.static import StaticEmbedder\n"
        "words = {*open(sys.argv[1]).read().split()}\n"  # a set: the order depends on the seed
        "model = StaticEmbedder.load()\n"
        "print(model.embed_bag(dict.fromkeys(words, 2)).tobytes().hex())\n"
        "bag, path = dict.fromkeys(words, 2), {'mail': 1}\n"
        "print(model.embed_fields((bag, path, path, bag)).tobytes().hex())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, __file__],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    words = {*Path(__file__).read_text().split()}
    bag, path = dict.fromkeys(words, 2), {"mail": 1}
    rows = MODEL.embed_bag(bag), MODEL.embed_fields(Fields(bag, path, path, bag))
    assert outputs == {"".join(row.tobytes().hex() + "\n" for row in rows)}


def test_rare_words_count_more_than_common_ones() -> None:
    query = MODEL.embed_query("return the websocket")
    assert query @ MODEL.embed_query("websocket") > query @ MODEL.embed_query("return the") + 0.3


def test_the_model_id_names_the_files_and_the_recipe() -> None:
    manifest = json.loads((static.DATA / static.MANIFEST).read_text())
    assert MODEL.model_id == f"builtin:{manifest['name']}:{static.RECIPE}"


def test_the_shipped_files_are_those_of_the_manifest_and_small() -> None:
    MODEL.verify()
    sizes = {path.name: path.stat().st_size for path in static.DATA.iterdir()}
    assert set(sizes) == {*static_files(), static.MANIFEST, "NOTICE"}
    assert sum(sizes.values()) <= 10_000_000


def test_the_model_card_tells_the_id_the_sizes_and_the_hashes() -> None:
    card = (Path(__file__).parents[2] / "docs" / "model-card.md").read_text("utf-8")
    manifest = json.loads((static.DATA / static.MANIFEST).read_text())
    for name, file in manifest["files"].items():
        assert f"| `{name}` | {file['bytes']:,} | `{file['sha256']}` |" in card
    assert f"`{MODEL.model_id}`" in card
    assert manifest["source"]["model.safetensors"] in card


def test_the_vocabulary_has_one_line_a_row_and_no_markers() -> None:
    pieces = (static.DATA / static.VOCABULARY).read_text("utf-8").split("\n")[:-1]
    rows = np.load(static.DATA / static.VECTORS, mmap_mode="r")
    assert rows.shape == (len(pieces), 256)
    assert len(set(pieces)) == len(pieces)
    assert not [piece for piece in pieces if piece.startswith("[") and piece != "["]


def static_files() -> list[str]:
    return [static.VECTORS, static.GAINS, static.VOCABULARY]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(static.DATA, tmp_path / "data"))


@pytest.mark.parametrize("name", static_files())
def test_a_cut_file_is_refused_when_the_model_is_loaded(copy: Path, name: str) -> None:
    size = (copy / name).stat().st_size
    os.truncate(copy / name, size - 1)
    with pytest.raises(Damaged) as raised:
        StaticEmbedder.load(copy)
    assert str(raised.value) == (
        f"the built-in embedding model is damaged ({name} has {size - 1:,} bytes instead of "
        f"{size:,}): install git-skillmesh again"
    )
    assert raised.value.exit_code == ExitCode.DAMAGED


@pytest.mark.parametrize("name", static_files())
def test_a_changed_byte_is_found_by_verify(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[-1] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(Damaged, match=f"{name} is not the file that was shipped"):
        StaticEmbedder.load(copy).verify()


@pytest.mark.parametrize("name", [*static_files(), static.MANIFEST])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(Damaged, match=f"{name}: No such file"):
        StaticEmbedder.load(copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}', "\x00"])
def test_a_manifest_that_cannot_be_read_is_refused(copy: Path, content: str) -> None:
    (copy / static.MANIFEST).write_text(content)
    with pytest.raises(Damaged, match=r"manifest\.json cannot be read"):
        StaticEmbedder.load(copy)


def test_an_array_that_cannot_be_read_is_refused(copy: Path) -> None:
    size = (copy / static.GAINS).stat().st_size
    (copy / static.GAINS).write_bytes(b"\0" * size)
    with pytest.raises(Damaged, match=r"gains\.npy cannot be read"):
        StaticEmbedder.load(copy)


def test_a_later_format_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / static.MANIFEST).read_text())
    (copy / static.MANIFEST).write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(Damaged, match="unknown format"):
        StaticEmbedder.load(copy)


def test_loading_reads_neither_the_vocabulary_nor_a_hash() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules)\n"
        "from git_skillmesh.embedding.static import FIELD_WEIGHTS, Fields, StaticEmbedder\n"
        "model = StaticEmbedder.load()\n"
        "print(model._known_pieces, 'hashlib' in set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "None False\n"
