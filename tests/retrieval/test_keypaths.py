"""Where files set a key."""

import pytest

from git_skillmesh.retrieval.keypaths import lines_of_key

YAML = "on:\n  push:\n    branches: [main]\njobs:\n  test:\n    steps:\n      - uses: x\n"
TOML = "[tool.ruff]\nline-length = 100\n\n[tool.ruff.lint]\nselect = ['E']\n"
JSON = '{\n  "compilerOptions": {\n    "strict": true\n  },\n  "files": []\n}\n'
PROPERTIES = "org.gradle.jvmargs=-Xmx2g\n# a comment\nversion: 1\n"


@pytest.mark.parametrize(
    ("text", "key", "found"),
    [
        (YAML, "on.push.branches", [(2, True)]),
        (YAML, "push.branches", [(2, False)]),
        (YAML, "jobs.test", [(4, True)]),
        (YAML, "on.test", []),
        (TOML, "tool.ruff.line-length", [(1, True)]),
        (TOML, "tool.ruff.lint", [(3, True)]),
        (TOML, "tool.ruff.lint.select", [(4, True)]),
        (JSON, "compilerOptions.strict", [(2, True)]),
        (JSON, "compileroptions.strict", [(2, True)]),
        (JSON, "files", [(4, True)]),
        (PROPERTIES, "org.gradle.jvmargs", [(0, True)]),
        ("", "a", []),
    ],
)
def test_lines_of_key(text: str, key: str, found: list[tuple[int, bool]]) -> None:
    assert lines_of_key(text.split("\n"), key.split(".")) == found
