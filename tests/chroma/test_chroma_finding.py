"""What is done where a search does not find what was just written."""

from typing import Any

import numpy as np
import pytest

from git_skillmesh.chroma import finding
from git_skillmesh.errors import Damaged
from testing.chroma_rows import Place

ALL: list[Any] = ["embeddings", "metadatas", "documents"]


def test_what_is_not_found_is_given_to_the_index_again(
    filled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = finding.unfindable
    with filled.tampering() as collection:
        before = collection.get(limit=3, include=ALL)
        one, other, gone = before["ids"]
        sample = dict(zip(before["ids"], np.array(before["embeddings"]), strict=True))
        answers = [[one, other], None]

        def first_two_are_not_found(*asked: Any) -> list[str]:
            answer = answers.pop(0)
            return search(*asked) if answer is None else answer

        monkeypatch.setattr(finding, "unfindable", first_two_are_not_found)
        finding.check_written(collection, sample)
        assert answers == []
        after = collection.get(ids=before["ids"], include=ALL)
        assert (after["metadatas"], after["documents"]) == (
            before["metadatas"], before["documents"],
        )  # fmt: skip
        assert np.allclose(after["embeddings"], before["embeddings"])

        # What another clone has written since is not written over.
        monkeypatch.setattr(finding, "unfindable", search)
        collection.update(ids=[other], embeddings=[-sample[other]])
        finding.check_written(collection, sample)
        assert np.allclose(
            collection.get(ids=[other], include=ALL)["embeddings"], [-sample[other]], atol=1e-6
        )
        collection.delete(ids=[gone])
        with pytest.raises(Damaged, match="does not find in codebase_v1 what it was just given"):
            finding.check_written(collection, sample)
