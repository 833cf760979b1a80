"""Collections of users' own, out of a folder and into a server, where others have some already."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from git_skillmesh.chroma import own_copy
from git_skillmesh.chroma.pipe import Writer
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError, UsageError

VECTORS = np.eye(4, dtype="<f4")


def record(number: int, text: str | None, **metadata: object) -> dict[str, object]:
    return {
        "id": f"d{number}", "document": text, "metadata": metadata or None,
        "vector": own_copy._encoded(VECTORS[number]),
    }  # fmt: skip


def shape(**more: object) -> own_copy.Shape:
    said = {
        "name": "kept",
        "space": "cosine",
        "dimension": 4,
        "metadata": {"model_id": "m"},
        **more,
    }
    return own_copy.Shape(**said)  # type: ignore[arg-type]


RECORDS = [record(0, "one", n=1), record(1, None), record(2, "three"), record(3, None, a="b")]


def test_into_a_server_and_back(database: Callable[[str], Target], tmp_path: Path) -> None:
    target = database("own_copy")
    own_copy.put(target, tmp_path, [(shape(), RECORDS[:3])])
    with own_copy.opened(target) as reader:
        assert reader is not None
        assert own_copy.shapes(reader) == [shape()]
        assert list(own_copy.records(reader, "kept")) == RECORDS[:3]
        changed = [record(0, "other", n=1), *RECORDS[1:]]
        compared = own_copy.compare(reader, shape(), changed)
        assert (compared.missing, compared.same, compared.differ) == ({"d3"}, 2, {"d0"})
        new = own_copy.compare(reader, shape(name="new"), RECORDS)
        assert new.missing == {"d0", "d1", "d2", "d3"}
        for wrong in ({"metadata": {"model_id": "x"}}, {"space": "l2"}, {"dimension": 5}):
            with pytest.raises(ConfigurationError, match="the collection kept here has the"):
                own_copy.compare(reader, shape(**wrong), RECORDS)
    own_copy.put(target, tmp_path, [(shape(), changed)])
    with own_copy.opened(target) as reader:
        assert reader is not None
        assert list(own_copy.records(reader, "kept")) == changed
    with Writer(target, tmp_path) as writer, pytest.raises(UsageError, match="keeps for itself"):
        writer.ask("own_make", name="codebase_v1__x", space="cosine", metadata={})


def test_records_that_nobody_wrote() -> None:
    good = RECORDS[0]
    assert own_copy.checked(good, 4) == good
    wrong: list[object] = [
        None, [], {}, {**good, "id": 1}, {**good, "document": 1}, {**good, "metadata": []},
        {**good, "vector": "x"}, {**good, "vector": ""}, {**good, "vector": 1},
    ]  # fmt: skip
    for found in wrong:
        with pytest.raises(ValueError, match="it is no record"):
            own_copy.checked(found, 4)
    with pytest.raises(ValueError, match="it is no record"):
        own_copy.checked(good, 5)
    with own_copy.opened(Target("persistent", path=Path("none"))) as reader:
        assert reader is None
