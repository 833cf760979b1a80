"""Text in, terms out: what the routing of skills takes for one word.

In: a card's text or a question. Out: terms, which are stems ("label"), whole names as people write
them ("scikitlearn", "s3", "c++") and, for a question, what else each may be called. Built on the
words that every index here reads (embedding/tokens.py).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from ..embedding.tokens import MOST_CACHED, STOP_WORDS, identifiers, parts, stem

# Said in questions, and of no use for telling one field from another.
_ASKED = """
anybody anyone anything basically bit came come comes cant couldnt didnt doesnt dont even ever every
everyone everything exactly find gave get gets getting give gives go goes going gone got gotta guess
happen happening happens hasnt havent hello help hey hi id ill im isnt ive keep keeps kind know lets
like little look looking lot lots made make makes making many maybe mean much my need needed needs
never nobody now ok okay ones people please properly put really right said say says see seem seems
someone something somehow sort still stuff sure take takes tell thank thanks thats theres they thing
things think told tried try trying use used using wanna want wanted wants wasnt way ways whats
whenever whether without wont wouldnt youre
"""
ASKED: frozenset[str] = STOP_WORDS | frozenset(_ASKED.split())

# A name with dots, hyphens and the like within; "c++" and "c#" keep what follows.
_COMPOUND = re.compile(r"(?<![\w.])\.net\b|\w+(?:[.\-/&@]\w+)*(?:\+\+(?!\w)|#(?!\w))?", re.I)
_POSSESSIVE = re.compile(r"['\u2019`](s|t|re|ve|ll|d|m)\b", re.I)
_LONGEST_NAME = 40
_LONGEST_TEXT = 60_000

# British spellings become American ones, on both sides; a word that is not meant ("exercise")
# changes on both sides too.
_ISE = re.compile(r"(?<=[a-z]{3})is(e|ed|es|er|ers|ing|ation|ations)$")
_OUR = re.compile(r"(?<=[a-z]{3})our(s|ed|ing|al|ite|ites|ful|hood|ly)?$")
_DOUBLED = re.compile(
    r"^(model|label|cancel|travel|signal|channel|level|tunnel|total|marshal|fuel|dial|panel|spiral"
    r"|unravel|parcel|jewel|pencil|program)[lm](ed|ing|er|ers)$"
)
_OTHER = {
    "centre": "center", "centred": "centered", "centres": "centers", "metre": "meter",
    "metres": "meters", "litre": "liter", "fibre": "fiber", "catalogue": "catalog",
    "catalogues": "catalogs", "dialogue": "dialog", "analyse": "analyze", "analysed": "analyzed",
    "analysing": "analyzing", "grey": "gray", "licence": "license", "defence": "defense",
    "artefact": "artifact", "artefacts": "artifacts", "programme": "program", "cheque": "check",
    "tyre": "tire", "mould": "mold", "ageing": "aging", "judgement": "judgment",
    # Forms that the stemmer leaves apart.
    "ran": "run", "running": "run", "broke": "break", "broken": "break", "written": "write",
    "wrote": "write", "chose": "choose", "chosen": "choose", "drew": "draw", "drawn": "draw",
    "sent": "send", "built": "build", "lost": "lose", "losing": "lose", "loses": "lose",
    "slower": "slow", "slowest": "slow", "slowly": "slow", "faster": "fast", "fastest": "fast",
    "bigger": "big", "smaller": "small", "grew": "grow", "grown": "grow", "threw": "throw",
    "thrown": "throw", "stolen": "steal", "stole": "steal", "hung": "hang", "stuck": "stick",
    "froze": "freeze", "frozen": "freeze", "forgot": "forget", "forgotten": "forget",
    "indices": "index", "indexes": "index", "matrices": "matrix", "vertices": "vertex",
    "schemata": "schema", "children": "child", "men": "man", "women": "woman", "mice": "mouse",
    "hid": "hide", "hidden": "hide", "read": "read", "leaving": "leave", "leaves": "leave",
    "fed": "feed", "split": "split", "shown": "show", "spoke": "speak", "spoken": "speak",
    "taught": "teach", "kept": "keep", "paid": "pay", "bought": "buy", "sold": "sell",
    "caught": "catch", "crept": "creep", "grown-up": "adult", "dying": "die", "died": "die",
    "dies": "die",
}  # fmt: skip

# What the same thing is called: abbreviations in common use, none of them a field of its own.
_SAME = (
    "js javascript", "ts typescript", "py python", "db database", "k8s kubernetes kube",
    "postgres postgresql pg psql", "auth authentication", "authn authentication",
    "authz authorization", "env environment", "envs environments", "repo repository",
    "repos repositories", "config configuration", "configs configurations", "deps dependencies",
    "dep dependency", "perf performance", "docs documentation", "doc documentation", "cpp c++",
    "golang go", "sklearn scikitlearn", "gpu cuda", "llm llms", "app application",
    "apps applications", "params parameters", "param parameter", "args arguments", "vars variables",
    "csv csvs", "ppt pptx powerpoint", "pic picture image photo", "pics pictures images photos",
    "img image", "msg message", "mem memory", "vuln vulnerability", "vulns vulnerabilities",
    "creds credentials", "perms permissions", "ml machinelearning", "ai artificialintelligence",
    "cicd ci", "a11y accessibility", "i18n internationalization", "o11y observability",
    "prod production", "dev development", "infra infrastructure", "stats statistics",
    "viz visualization", "dataviz visualization", "df dataframe", "dfs dataframes", "tf terraform",
    "gha githubactions", "pw password", "pwd password", "passwords password", "pentest pentesting",
    "graphql gql", "nextjs next", "nodejs node", "reactjs react", "vuejs vue", "smi smiles",
    "mgmt management", "async asynchronous", "sync synchronous", "del delete", "dir directory",
    "subnet subnetwork", "vm virtualmachine", "oom outofmemory", "regex regexp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A word of a question: its term, other terms for the same thing, and how it was written."""

    term: str
    others: tuple[str, ...]
    written: str


def plain(text: str) -> str:
    """Return the text in compatibility form, without accents and without 's and the like."""
    text = text[:_LONGEST_TEXT]
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        kept = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
        text = unicodedata.normalize("NFC", kept)
    return _POSSESSIVE.sub(lambda m: "" if m[1].lower() == "s" else m[1], text)


def terms(text: str) -> list[str]:
    """List the terms of a card's text in order: stems, and whole names beside their parts."""
    found: list[str] = []
    for word in _words(plain(text)):
        found += word.stems
        found += word.names
    return found


def asked(text: str) -> list[Asked]:
    """List the telling words of a question, each once; all of them if none is telling."""
    words = list(_words(plain(text)))
    telling = [word for word in words if word.written not in ASKED]
    found: dict[str, Asked] = {}
    for word in telling or words:
        for name in word.names:
            found.setdefault(name, Asked(name, _others().get(word.written, ()), word.written))
        for term, part in zip(word.stems, word.parts, strict=True):
            if part in ASKED and len(word.stems) > 1:
                continue
            found.setdefault(term, Asked(term, _others().get(part, ()), part))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Word:
    written: str
    parts: tuple[str, ...]
    stems: tuple[str, ...]
    names: tuple[str, ...]


# What was read before: a compound as written → its word.
_seen: dict[str, _Word] = {}


def _words(text: str) -> Iterator[_Word]:
    for compound in _COMPOUND.findall(text):
        word = _seen.get(compound)
        if word is None:
            word = _read(compound)
            if len(_seen) >= MOST_CACHED:
                _seen.clear()
            _seen[compound] = word
        yield word


def _read(compound: str) -> _Word:
    if compound.lower() == ".net":
        return _Word("dotnet", (), (), ("dotnet",))
    suffix = compound[len(compound.rstrip("+#")) :]
    pieces = [part for word in identifiers(compound) for part in parts(word)]
    written = "".join(c for c in compound.casefold() if c.isalnum()) + suffix
    is_name = written.isascii() and not written.isdigit() and len(written) <= _LONGEST_NAME
    names = (_stem(written),) if is_name and (len(pieces) > 1 or suffix) else ()
    if suffix:
        pieces = pieces[:-1]
    # One letter or digit of a compound says nothing beside the compound.
    telling = [p for p in pieces if len(p) > 1 or len(pieces) == 1 or not p.isascii()]
    return _Word(written, tuple(telling), tuple(map(_stem, telling)), names)


def _stem(part: str) -> str:
    part = _OTHER.get(part, part)
    if len(part) > 5:
        part = _ISE.sub(r"iz\1", _OUR.sub(r"or\1", _DOUBLED.sub(r"\1\2", part)))
    return stem(part)


_known_others: dict[str, tuple[str, ...]] = {}


def _others() -> dict[str, tuple[str, ...]]:
    if not _known_others:
        for line in _SAME:
            group = line.split()
            for word in group:
                others = {_stem(other) for other in group if other != word}
                others |= set(_known_others.get(word, ()))
                _known_others[word] = tuple(sorted(others))
    return _known_others
