"""Which files of a change may leave this machine, and their lines as they may leave it.

In: a change, the settings. Out: the files that are shown, why the others are not, and text without
secrets, line by line: what is redacted keeps its line ends, so that numbers of lines stay true.
"""

import re

from ...chunking.exclusion import skip_content
from ...config import Config
from ...gate.change import Change
from ...gate.model import Unchecked
from ...git.attributes import attribute_files
from ...git.changes import ChangedFile
from ...git.ignored import ignored
from ...git.trees import list_tree
from ...index.rules import rules_of
from ...sessions.redaction import Redactor
from ...sessions.redaction_spans import placeholder
from ..dataset.door import Door

_LARGEST = 400_000  # bytes of a file of which anything is shown
_LONGEST = 300  # characters of a line
# Files that hold keys and passwords, by name; a setting that includes them has no say in it.
_SECRET = re.compile(
    r"""(?:^|/)(?:
      \.env(?:\..+)?|\.envrc|[^/]*\.env|\.netrc|_netrc|\.pgpass|\.my\.cnf|\.npmrc|\.pypirc
    | \.git-credentials|\.dockercfg|\.htpasswd|credentials(?:\.[^/]+)?|secrets?(?:\.[^/]+)?
    | \.vault[-_]pass[^/]*|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*|[^/]*(?:[-_.]secrets?)\.[^/]+
    | service[-_]account[^/]*\.json|terraform\.tfvars|[^/]*\.auto\.tfvars|[^/]*\.tfstate[^/]*
    | [^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg|pkcs12|ovpn|tfvars)
    )$|(?:^|/)(?:\.ssh|\.aws|\.gnupg|\.kube|\.docker|\.azure|secrets)/""",
    re.VERBOSE | re.IGNORECASE,
)
_PUBLIC = re.compile(r"\.env\.(?:example|sample|template|dist)$|\.pub$", re.IGNORECASE)
_CODE = re.compile(r"(?:^|/)(?:secrets?|credentials?)\.(?:py|ts|tsx|js|go|rs|rb|java|kt|cs|md)$")


def is_secret(path: str) -> bool:
    """Whether a file is for secrets, by its name."""
    if _PUBLIC.search(path):
        return False
    found = _SECRET.search(path)
    return found is not None and not _CODE.search(path)


class Cleaner:
    """Text as it may leave: redacted by today's rules, controls visible, bounded lines."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.door = Door(redactor)

    def lines(self, data: bytes) -> list[str]:
        """Return the lines of a file; as many as it has, whatever was taken out of them."""
        text = data.decode("utf-8", "replace")
        pieces, position = [], 0
        for found in self._redactor.redact(text, images=False).findings:
            gone = text[found.start : found.end]
            pieces += [text[position : found.start], placeholder(found.rule)]
            pieces.append("\n" * gone.count("\n"))
            position = found.end
        lines = "".join([*pieces, text[position:]]).split("\n")
        lines = lines[:-1] if lines[-1] == "" else lines
        return [_bounded(line.removesuffix("\r")) for line in lines]

    def text(self, text: str) -> str:
        """Return a text as it may leave."""
        return self.door.let_out(text)


def _bounded(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def sendable(change: Change, config: Config) -> tuple[list[ChangedFile], list[Unchecked]]:
    """Return the files of which something may be shown, and why the others are not."""
    added = [file for file in change.files if file.has_text and not file.conflict and _adds(file)]
    kept, left = [], []
    reasons = _reasons(change, config, [file.path for file in added])
    for file in added:
        why = reasons.get(file.path, "")
        if not why and not file.compared:
            why = "too large to be compared"
        if not why and file.size > min(_LARGEST, config.number("index.maxbytes")):
            why = f"larger than {min(_LARGEST, config.number('index.maxbytes')):,} bytes"
        if why:
            left.append(Unchecked(file.path, f"not sent: {why}"))
        else:
            kept.append(file)
    return kept, left


def refused_content(path: str, data: bytes) -> str:
    """Return why the content of a file is not shown, "" if it is."""
    skip = skip_content(path, data)
    return f"not sent: {skip}" if skip is not None else ""


def _adds(file: ChangedFile) -> bool:
    added = file.added()
    return added is None or bool(added)


def _reasons(change: Change, config: Config, paths: list[str]) -> dict[str, str]:
    found = dict.fromkeys(ignored(change.repository, paths), "git leaves it alone")
    attributes = attribute_files(list_tree(change.repository, change.head or change.base_tree))
    rules = rules_of(config, attributes)
    for path, verdict in rules.verdicts(change.repository, paths).items():
        if verdict.skip is not None:
            found[path] = str(verdict.skip)
    return found | {path: "a file for secrets, by its name" for path in paths if is_secret(path)}
