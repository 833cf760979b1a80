"""Which model answered: what a served name meant at the time of an exchange."""

import json
from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.context import context_of
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.serving import (
    Deployment,
    Served,
    adapters_folder,
    model_version,
    read_deployments,
    read_served,
)  # fmt: skip
from testing.repos import make_repo

A, B = "lora_codelearn_20261101", "lora_codelearn_20261102"
BASE = "models/Qwen2.5-Coder-0.5B"
HASH = "1a2b3c4d" + "0" * 56


def deployed(adapter: str, hour: int, identity: str = "", base: str = BASE) -> Deployment:
    time = f"2026-11-20T{hour:02}:00:00.000Z"
    serves = ("skillmesh", adapter) if adapter else ("skillmesh",)
    return Deployment(identity or str(hour), "deploy", adapter, "", "", base, HASH, time, serves)


HISTORY = [deployed(A, 8), deployed(B, 12), deployed("", 16)]
SHORT = "Qwen2.5-Coder-0.5B@1a2b3c4d"


def asked(model: str, start: str = "", end: str = "") -> Exchange:
    day = "2026-11-20T"
    return Exchange("e", "p", "r", f"{day}{start}:00Z" if start else "",
                    f"{day}{end}:00Z" if end else "", model)  # fmt: skip


@pytest.mark.parametrize(
    ("exchange", "version"),
    [
        (asked("skillmesh", "09:00", "09:05"), f"{SHORT}+{A}"),
        (asked("openai/skillmesh", "12:00", "12:05"), f"{SHORT}+{B}"),
        (asked("skillmesh", "13:00"), f"{SHORT}+{B}"),
        (asked("skillmesh", "16:00", "17:00"), SHORT),
        # What cannot be told stays: before the first one, over a switch, without or with odd times.
        (asked("skillmesh", "07:00", "07:05"), "skillmesh"),
        (asked("skillmesh", "07:59", "08:05"), "skillmesh"),
        (asked("skillmesh", "11:59", "12:01"), "skillmesh"),
        (asked("skillmesh"), "skillmesh"),
        (asked("skillmesh", "10:00", "09:00"), "skillmesh"),
        (asked("Skillmesh", "09:00"), "Skillmesh"),
        # An adapter's own name says it at any time, if it was deployed at all.
        (asked(A), f"{SHORT}+{A}"),
        (asked(f"hosted_vllm/{B}", "07:00"), f"{SHORT}+{B}"),
        (asked(f"{B}:latest", "07:00"), f"{SHORT}+{B}"),
        (asked("lora_codelearn_20261103", "09:00"), "lora_codelearn_20261103"),
        (asked("gpt-x", "09:00"), "gpt-x"),
        (asked("", "09:00"), ""),
    ],
)
def test_a_name_means_what_was_active(exchange: Exchange, version: str) -> None:
    assert Served(HISTORY).version_of(exchange) == version
    assert Served([]).version_of(exchange) == exchange.model


def test_an_adapter_of_two_bases_is_no_answer() -> None:
    served = Served([deployed(A, 8), deployed(A, 9, base="models/other")])
    assert served.version_of(asked(A)) == A


@pytest.mark.parametrize(
    ("base", "digest", "adapter", "version"),
    [
        ("Qwen/Qwen2.5-Coder-0.5B", HASH, A, f"{SHORT}+{A}"),
        ("/models/my base/", HASH, "", "my-base@1a2b3c4d"),
        ("base", "", A, f"base+{A}"),
        ("/", HASH, A, ""),
    ],
)
def test_a_version_is_one_word(base: str, digest: str, adapter: str, version: str) -> None:
    assert model_version(base, digest, adapter) == version


def line(**changes: object) -> dict[str, object]:
    return {
        "schema": 1, "identity": "1", "action": "deploy", "adapter": A, "before": "", "back": "",
        "base": BASE, "base_sha256": HASH, "time": "2026-11-20T08:00:00.000Z",
        "serves": ["skillmesh", A], **changes,
    }  # fmt: skip


def test_a_history_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    assert read_deployments(tmp_path / "none") == []
    bad: list[object] = [[], None, line(time=3), line(adapter="../x"), line(serves="skillmesh"),
                         line(identity="")]  # fmt: skip
    lines = [json.dumps(one) for one in [line(), *bad]]
    (tmp_path / "deployments.jsonl").write_text("\n".join([*lines, '{"schema":', "[" * 100_000]))
    assert [one.adapter for one in read_deployments(tmp_path)] == [A]
    (tmp_path / "active.json").write_text(json.dumps({"manifest": line(identity="2", adapter=B)}))
    assert [one.adapter for one in read_deployments(tmp_path)] == [A, B]
    (tmp_path / "active.json").write_text(json.dumps({"manifest": line()}))
    assert [one.adapter for one in read_deployments(tmp_path)] == [A]
    (tmp_path / "active.json").write_bytes(b"\xff")
    assert [one.adapter for one in read_deployments(tmp_path)] == [A]


def test_the_context_of_an_exchange_has_it(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    repository = discover(repo.path)
    folder = adapters_folder(repository, load(repository))
    assert folder == repo.path / ".git" / "skillmesh-adapters"
    repo.git("config", "skillmesh.adaptersFolder", "shared/adapters")
    folder = adapters_folder(repository, load(repository))
    assert folder == repo.path / "shared" / "adapters"
    folder.mkdir(parents=True)
    (folder / "deployments.jsonl").write_text(json.dumps(line()) + "\n")
    exchange = asked("skillmesh", "09:00", "09:05")
    session = Session("s", "codex", (exchange,))
    served = read_served(folder)
    assert context_of(session, exchange, None, served).model_version == f"{SHORT}+{A}"
    assert context_of(session, exchange).model_version == "skillmesh"
