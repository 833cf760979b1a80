"""See what a query is besides words: a trace, words in quotes, a message, a key, a question.

In: what a person typed or pasted. Out: `Asked`. It costs microseconds where nothing was pasted.
"""

import re
from dataclasses import dataclass
from enum import Enum

from .traces import Trace, read_trace

# A pasted text is searched by words up to here; what it names is read from all of it.
_MOST_WORDS_READ = 6_000
_MOST_PHRASES = 4
_LONGEST_PHRASE = 300
_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|`([^`\n]+)`|(?:^|(?<=[\s(]))\'([^\'\n]* [^\'\n]*)\'')
_ERROR = re.compile(
    r"^[^\w\n]{0,20}(?:\w+[.\\:])*"
    r"(?:\w*(?:Error|Exception|Panic|Failure)|(?:[a-z]+ )?(?:error|fatal|panic)|"
    r"(?:warning|ERROR|FATAL|WARN|WARNING))\b(?: \w+)?(?:\[\w+\])?: (\S.+)",
    re.MULTILINE,
)
# What a person does not type but a program prints: quotes, values, an end of sentence.
_PRINTED = re.compile(r"'[^']+'|\"[^\"]+\"|: |\.$|!$|\b\d+\b|(?<!\w)[/\\]\w|\bundefined\b|\bnull\b")
_COMPLAINT = re.compile(
    r"\b(?:failed|fails|invalid|cannot|can't|could not|couldn't|unable|missing|unknown|unexpected|"
    r"must|expected|not found|not allowed|not supported|unsupported|unrecognized|already|too \w+|"
    r"no such|illegal|malformed|should not|only be)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^\W*(?:how|what|whats|why|when|where|which|who|can|could|does|do|did|is|are|should|will|find|show"
    r"|list|explain|code|since)\b",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?<![\w./\\:@-])[A-Za-z_][\w-]*(?:\.[\w@/-]+)+(?![\w(/\\])")
_SETTING = re.compile(
    r"\b(?:set(?:ting)?s?|config\w*|option|key|property|defined|value)\b|^what is\b", re.IGNORECASE
)
_PLAIN_KEY = re.compile(r"`([\w-]{3,60})`|\b(\w+(?:[-_]\w+)+|[a-z]+[A-Z]\w+)\b")
# Forms of questions that documentation answers, and words that ask for code all the same.
_RELEASE = re.compile(
    r"^\W*(?:which (?:version|release)|since when|what changed|when (?:was|did)|release notes|"
    r"change ?log|upgrad|migrat)",
    re.IGNORECASE,
)
_HOW_TO = re.compile(
    r"^\W*(?:how (?:do|can|should|would|could|to)\b|what(?:'s| is| are| does)\b|why\b|"
    r"when should\b|(?:can|should|do|may|must) (?:i|we|you)\b|is (?:it|there)\b|does (?:it|this)\b|"
    r"(?:guide|documentation|docs?|tutorial|faq)\b|install|getting started)",
    re.IGNORECASE,
)
_TOPIC = re.compile(r"^\W*[a-z]{3,}ing\b", re.IGNORECASE)
_FOR_CODE = re.compile(
    r"\b(?:implement\w*|source|function|method|class|struct|defined|code|called|raised|thrown)\b",
    re.IGNORECASE,
)


class Form(Enum):
    """What the form of a question says about what answers it; `CODE` is also: nothing."""

    CODE = "code"
    TOPIC = "topic"
    HOW_TO = "how to"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks for.

    words    what is looked up as words
    trace    the places that it names
    phrases  what has to stand there just so
    message  what a program printed: its source may have placeholders where it has values
    keys     what may be keys of configuration, as paths
    form     which kind of text the question is one for
    """

    words: str
    trace: Trace
    phrases: tuple[str, ...]
    message: str
    keys: tuple[tuple[str, ...], ...]
    form: Form


def read_query(text: str) -> Asked:
    """Look at a query."""
    trace = read_trace(text)
    words = text[:_MOST_WORDS_READ]
    if trace.frames:
        names = [frame.symbol or frame.path.rpartition("/")[2] for frame in trace.frames[:8]]
        words = "\n".join([trace.message[:_MOST_WORDS_READ], *names])
        return Asked(words, trace, (), _message(trace.message), (), Form.CODE)
    phrases = _phrases(words)
    message = "" if phrases and _QUESTION.match(words) else _message(words)
    return Asked(words, trace, phrases, message, _keys(words), _form(words))


def _form(text: str) -> Form:
    if _RELEASE.match(text):
        return Form.RELEASE
    if _FOR_CODE.search(text):
        return Form.CODE
    return Form.HOW_TO if _HOW_TO.match(text) else Form.TOPIC if _TOPIC.match(text) else Form.CODE


def _phrases(text: str) -> tuple[str, ...]:
    found = []
    for match in _QUOTED.finditer(text):
        phrase = " ".join((match[1] or match[2] or match[3] or match[4] or "").split())
        telling = re.findall(r"\w+", phrase)
        # One name in quotes is a name; it is looked up as every name is.
        if len(telling) > 1 or (match[3] is None and len(phrase) > 2 and telling):
            found.append(phrase[:_LONGEST_PHRASE])
    return tuple(dict.fromkeys(found))[:_MOST_PHRASES]


def _message(text: str) -> str:
    """Return the message of an error: what follows its name, or what only a program writes."""
    match = _ERROR.search(text) if ":" in text else None
    if match:
        return match[1][:_LONGEST_PHRASE]
    line = text.strip().strip("\"'`")
    if (
        "\n" not in line
        and len(line.split()) > 3
        and (_PRINTED.search(line) or _COMPLAINT.search(line))
    ):
        return "" if _QUESTION.match(line) else line[:_LONGEST_PHRASE]
    return ""


def _keys(text: str) -> tuple[tuple[str, ...], ...]:
    words = text.split()
    if len(words) > 8:
        return ()
    keys = [tuple(match[0].split(".")) for match in _DOTTED.finditer(text)]
    if not keys and len(words) == 1 and re.fullmatch(r"[\w@/-]{3,60}", text.strip()):
        keys = [(text.strip(),)]
    elif not keys and _SETTING.search(text):
        keys = [(match[1] or match[2],) for match in _PLAIN_KEY.finditer(text)]
        if not keys and (match := re.fullmatch(r"where is (\w+) (?:set|configured)\??", text)):
            keys = [(match[1],)]
    return tuple(keys[:2])
