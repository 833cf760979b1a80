"""Adapters with real weights: trained, judged, deployed, served, taken back. Needs torch."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.training.adapters.generating import ModelEngine
from git_skillmesh.training.adapters.serving import Server
from git_skillmesh.training.adapters.store import WEIGHTS
from git_skillmesh.training.alone import settle
from git_skillmesh.training.model import Form
from git_skillmesh.training.models import encoded, hash_of, load
from testing.adapters import deployments_of, name_of, record
from testing.commands import call
from testing.repos import Repo, make_repo
from testing.trained import random_base, write_data

pytest.importorskip("peft", reason="needs git-skillmesh[train]: run scripts/test-training")

TOKEN = "a-token-of-16-letters"  # noqa: S105 - of a test
# The base has a token for each byte.
QUICK = ("--longest", "500", "--general", "2", "--write-tokens", "16")
GOOD, BAD = name_of(2), name_of(1)


class Trained:
    """A repository with a trained adapter, and one whose weights were spoilt."""

    name = GOOD

    def __init__(self, folder: Path) -> None:
        settle()
        self.repo: Repo = make_repo(folder / "repo")
        key = folder / "key"  # each test has a home of its own
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.repo.git("config", "skillmesh.signingKey", str(key))
        self.base = random_base(folder / "base")
        splits = {"train": range(8), "validation": range(8, 9), "test": range(30, 38)}
        self.data = write_data(folder / "data.jsonl", Form.SFT, splits)
        self.store = self.repo.path / ".git" / "skillmesh-adapters"
        weights = self._learn()
        self._write(GOOD, weights)
        self._write(BAD, {name: -3 * one for name, one in weights.items()})

    def _learn(self) -> dict[str, Any]:
        """Return the weights of an adapter after a few steps; nothing of `train` is needed here."""
        import torch
        from peft import LoraConfig, get_peft_model, get_peft_model_state_dict

        loaded = load(str(self.base), device="cpu")
        lines = [json.loads(line) for line in self.data.read_text().splitlines()][:6]
        rows = [
            encoded(loaded.tokenizer, one["messages"][:-1], one["messages"][-1:], 600)
            for one in lines
        ]
        torch.manual_seed(0)
        settings = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear")
        model = get_peft_model(loaded.model, settings).train()
        steps = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.02)
        for _ in range(3):
            for ids, begin in rows:
                given = torch.tensor([ids])
                wanted = given.clone()
                wanted[0, :begin] = -100
                steps.zero_grad()
                model(input_ids=given, labels=wanted).loss.backward()
                steps.step()
        self.config = model.peft_config["default"]
        self.config.inference_mode = True
        return dict(get_peft_model_state_dict(model))

    def _write(self, name: str, weights: dict[str, Any]) -> None:
        from safetensors.torch import save_file

        folder = self.store / name
        folder.mkdir(parents=True)
        save_file({key: one.contiguous() for key, one in weights.items()}, folder / WEIGHTS)
        self.config.save_pretrained(folder)
        told = record(name, base=str(self.base), base_sha256=hash_of(self.base))
        (folder / "training.json").write_text(json.dumps(told))

    def __call__(self, *words: str, code: int = 0) -> Any:
        done = call(self.repo.path, *words)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if "--json" in words and done.stdout else done


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


def test_judged_deployed_and_taken_back(trained: Trained) -> None:
    name, data = trained.name, str(trained.data)
    told = trained("adapters", "evaluate", name, "--data", data, "--write", "1", *QUICK, "--json")
    assert told["better"] is True
    assert told["over_base"]["high"] < 0
    gap = told["marks"]["loss"]["mean"] - told["base"]["loss"]["mean"]
    assert abs(gap - told["over_base"]["mean"]) < 1e-9
    assert (told["marks"]["lines"], told["groups"], told["active"]) == (8, 8, None)
    assert told["marks"]["exact"] in (0.0, 1.0)
    assert all(line.startswith("for: ") for line in told["reasons"])
    assert trained("adapters", "deploy", name, "--json")["active"] == name

    told = trained("adapters", "evaluate", BAD, "--data", data, *QUICK, "--json")
    assert (told["better"], told["against"]) == (False, name)
    assert told["over_active"]["low"] > 0
    done = trained("adapters", "deploy", BAD, code=1)
    assert f"against {name} +" in done.stderr
    assert trained("adapters", "deploy", BAD, "--force", "--json")["forced"] is True
    told = trained("adapters", "evaluate", name, "--data", data, *QUICK, "--json")
    assert (told["better"], told["against"]) == (True, BAD)
    done = trained(
        "adapters", "evaluate", name, "--data", data, "--against", "base", "--groups", "9", *QUICK
    )
    assert done.stdout.startswith(f"{name} is not better\n  for: against the base -")
    assert "against: 8 groups of lines, and 9 are needed to tell\n" in done.stdout
    assert trained("adapters", "rollback", "--json")["active"] == name


def test_what_cannot_be_judged_is_said(trained: Trained, tmp_path: Path) -> None:
    other = random_base(tmp_path / "other", width=16)
    done = trained("adapters", "evaluate", trained.name, "--data", str(trained.data),
                   "--base", str(other), code=2)  # fmt: skip
    assert done.stderr == (
        f"git-skillmesh: {trained.name} was not trained on {other}: the base has another hash\n"
    )
    done = trained("adapters", "evaluate", trained.name, "--data", "no.jsonl", code=2)
    assert done.stderr.startswith("git-skillmesh: cannot read no.jsonl: ")


class Client:
    """Asks a server."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, path: str, body: Any = None, token: str = TOKEN) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        data = None if body is None else json.dumps(body)
        connection.request("POST" if data else "GET", path, data, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.headers["Content-Type"] == "application/json":
            return answer.status, json.loads(text)
        return answer.status, text


class Served(Client):
    """A server in a thread, and what it told."""

    def __init__(self, trained: Trained, adapter: str = "") -> None:
        self.told: list[str] = []
        store, deployments = deployments_of(trained.repo)
        engine = ModelEngine(store, deployments, adapter=adapter, tell=self.told.append)
        engine.follow()
        self.server = Server(engine, 0, TOKEN)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        super().__init__(self.server.server_address[1])

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def served(trained: Trained) -> Iterator[Served]:
    trained("adapters", "deploy", trained.name, "--force")
    made = Served(trained)
    yield made
    made.stop()


def asked(text: str = "Add a check to depot.", **more: Any) -> dict[str, Any]:
    return {"model": "skillmesh", "messages": [{"role": "user", "content": text}],
            "max_tokens": 12, **more}  # fmt: skip


def test_it_serves_what_is_active(trained: Trained, served: Served) -> None:
    assert [one["id"] for one in served("/v1/models")[1]["data"]] == [trained.name, "skillmesh"]
    status, told = served("/v1/chat/completions", asked())
    assert (status, told["model"]) == (200, trained.name)
    text = told["choices"][0]["message"]["content"]
    assert told["usage"]["completion_tokens"] <= 12
    assert text
    _, stream = served("/v1/chat/completions", asked(stream=True))
    parts = [json.loads(line[6:]) for line in stream.split("\n\n") if line.startswith("data: {")]
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in parts) == text
    # A stop is never seen, not even a part of it.
    stop = text[3:6]
    _, told = served("/v1/chat/completions", asked(stop=stop))
    assert told["choices"][0]["message"]["content"] == text[: text.index(stop)]
    assert told["choices"][0]["finish_reason"] == "stop"
    _, stream = served("/v1/chat/completions", asked(stop=[stop], stream=True))
    parts = [json.loads(line[6:]) for line in stream.split("\n\n") if line.startswith("data: {")]
    said = "".join(one["choices"][0]["delta"].get("content", "") for one in parts)
    assert said == text[: text.index(stop)]
    _, one = served("/v1/chat/completions", asked(temperature=1.5, seed=4))
    _, other = served("/v1/chat/completions", asked(temperature=1.5, seed=4))
    assert one["choices"] == other["choices"]
    status, told = served("/v1/completions", {"model": trained.name, "prompt": "def ",
                                              "max_tokens": 5})  # fmt: skip
    assert (status, told["usage"]) == (200, {"prompt_tokens": 4, "completion_tokens": 5,
                                             "total_tokens": 9})  # fmt: skip
    status, told = served("/v1/chat/completions", asked("x" * 5_000))
    assert (status, told["error"]["code"]) == (400, "context_length_exceeded")
    assert served("/v1/models", None, "wrong")[0] == 401


def test_it_follows_the_manifest(trained: Trained, served: Served) -> None:
    text = served("/v1/chat/completions", asked())[1]["choices"][0]["message"]["content"]
    trained("adapters", "deploy", BAD, "--force")
    _, told = served("/v1/chat/completions", asked())
    assert told["model"] == BAD
    assert told["choices"][0]["message"]["content"] != text
    # Nothing in between is served: what does not fit its signature is left alone.
    (trained.store / trained.name / "extra").write_text("x")
    trained("adapters", "rollback", trained.name)
    (trained.store / trained.name / "extra").unlink()
    assert served("/v1/chat/completions", asked())[1]["model"] == BAD
    trained("adapters", "rollback", BAD)
    trained("adapters", "rollback", trained.name)
    _, told = served("/v1/chat/completions", asked())
    assert (told["model"], told["choices"][0]["message"]["content"]) == (trained.name, text)
    # What a server uses is not collected.
    trained("adapters", "rollback", "base")
    _, told = served("/v1/chat/completions", asked())
    assert told["model"].startswith("base@")
    assert served.told == [
        f"{trained.name} is loaded", f"{BAD} is loaded",
        f"{BAD} goes on: {trained.name} is damaged: extra is missing",
        f"{trained.name} is loaded", f"{told['model']} is loaded",
    ]  # fmt: skip


def test_a_process_serves_one_adapter_until_it_is_ended(trained: Trained) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", "adapters", "serve", "--port", "0",
         "--adapter", BAD, "--token-env", "SERVER_TOKEN"],
        cwd=trained.repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "SERVER_TOKEN": TOKEN},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = int(line.rpartition(":")[2].removesuffix("/v1\n"))
        assert line == f"serving {BAD} at http://127.0.0.1:{port}/v1\n"
        ask = Client(port)
        assert [one["id"] for one in ask("/v1/models")[1]["data"]] == [BAD]
        told = trained("adapters", "gc", "--keep", "0", "--days", "0", "--dry-run", "--json")
        assert BAD not in told["adapters"]
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
        assert (process.returncode, said) == (0, f"{BAD} is loaded\nstopped\n")
    finally:
        process.kill()
        process.communicate()
