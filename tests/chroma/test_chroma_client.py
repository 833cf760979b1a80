"""What a user is told of the errors that Chroma, SQLite and the network raise."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from git_skillmesh.chroma.client import explain, is_passing
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import (
    Busy,
    ConfigurationError,
    Damaged,
    ReadOnly,
    SkillmeshError,
    Unavailable,
    Unreachable,
)

SECRET = "s3cret-value"  # noqa: S105
SERVER = Target("http", url="http://127.0.0.1:40134", headers={"X-Token": SECRET})
REQUEST = httpx.Request("GET", SERVER.url)


def answered(status: int) -> httpx.HTTPStatusError:
    response = httpx.Response(status, request=REQUEST)
    try:
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        return error
    raise AssertionError


def chroma(name: str, text: str) -> Callable[[], Exception]:
    """Return what makes an error of Chroma's; importing it while tests are collected is slow."""

    def make() -> Exception:
        from chromadb import errors

        error: Exception = getattr(errors, name)(text)
        return error

    return make


def made(error: Exception | Callable[[], Exception]) -> Exception:
    return error if isinstance(error, Exception) else error()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answered(401), ConfigurationError),
        (answered(403), ConfigurationError),
        (Exception("Unauthorized"), ConfigurationError),
        (chroma("NotFoundError", "Database [x] not found"), ConfigurationError),
        # The port of the server has 401 and 403 in it.
        (answered(404), Unreachable),
        (answered(503), Unreachable),
        (Exception(f"refused {SECRET}\n\x1b[31m"), Unreachable),
    ],
)
def test_a_server(error: Exception | Callable[[], Exception], kind: type[SkillmeshError]) -> None:
    told = explain(made(error), SERVER)
    assert type(told) is kind
    assert SECRET not in str(told)
    assert str(told).isprintable()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (chroma("InternalError", "(code: 26) file is not a database"), Damaged),
        (chroma("InternalError", "Error loading hnsw index"), Damaged),
        (chroma("InternalError", "(code: 5) database is locked"), Busy),
        (chroma("InternalError", "(code: 13) database or disk is full"), Unavailable),
        (chroma("InternalError", "attempt to write a readonly database"), ReadOnly),
        (PermissionError(13, "Permission denied"), ReadOnly),
        (ValueError("a wrong argument"), Unavailable),
    ],
)
def test_a_folder(
    error: Exception | Callable[[], Exception], kind: type[SkillmeshError], tmp_path: Path
) -> None:
    assert type(explain(made(error), Target("persistent", path=tmp_path))) is kind


def test_a_panic_of_chroma_s_core_is_damage(tmp_path: Path) -> None:
    # As pyo3 raises it: not an Exception.
    panic = type("PanicException", (BaseException,), {})
    told = explain(panic("index out of bounds"), Target("persistent", path=tmp_path))
    assert str(told) == (
        f"the Chroma store in the folder {tmp_path} cannot be read: index out of bounds:"
        " git skillmesh doctor --repair"
    )


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ReadTimeout("slow"), True),
        (answered(503), True),
        (answered(429), True),
        (chroma("RateLimitError", "slow down"), True),
        (Exception("502 Bad Gateway"), True),
        (answered(401), False),
        (chroma("NotFoundError", "gone"), False),
        (Exception("port 35021 is closed"), False),
    ],
)
def test_what_is_tried_again(error: Exception | Callable[[], Exception], passing: bool) -> None:
    assert is_passing(made(error)) is passing
