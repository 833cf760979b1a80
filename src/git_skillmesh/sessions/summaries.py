"""Prompts and responses in a sentence or two, by extraction: what was asked, what came of it.

In: texts. Out: one line each, at most `LONGEST` characters, without Markdown, code, pasted logs and
control characters.

Sentences are chosen by where they stand and by a few signs of asking, answering and narrating; the
signs are words of several languages, the places work in all.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

LONGEST = 240
# What is looked at of each end of a text: what people paste is longer than what they say.
_LOOKED_AT = 5_000
_MOST_SENTENCES = 200
_MOST_IN_LINE = 4_000
_MOST_PIECES = 3
# Signs stand near the beginning of a sentence.
_SIGNS_IN = 200
_ENDS = ".!?:;,\u2026\u3002\uff01\uff1f"

_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(\x07|\x1b\\)|.?)")
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_TAG = re.compile(r"</?[a-zA-Z][\w-]{0,40}(\s[^<>\n]{0,200})?/?>")
_IMAGE = re.compile(r"!\[[^\]\n]{0,200}\]\([^)\n]{0,500}\)|\[Image[^\]\n]{0,80}\]")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\([^)\s\n]{1,500}\)")
_EMPHASIS = re.compile(r"\*\*|__|~~|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_MARKED = re.compile(r"[*_`~<\[]")
_ITEM = re.compile(r"^\s*([-*+\u2022]|\d{1,3}[.)]|#{1,6})\s+(\[[ xX]\]\s+)?")
_HEADING = re.compile(r"\s*#{1,6}\s|\s*\*\*[^*]{1,80}\*\*:?\s*$")
_PASTED = re.compile(
    r"\s*([|>$%\u279c\u276f\u2502\u250c\u2514\u251c\u256d\u2570\u23fa\u23bf]|\+\+\+|---|===|@@|@[\w./-]+\s*$"
    r"|\[?\d{4}-\d\d-\d\d[T ]|\[?\d\d:\d\d[:.\]]|at\s\S+[(:]|File \""
    r"|Traceback|Caused by|goroutine \d|User provided an image"
    r"|(npm|yarn|pnpm) (error|ERR|WARN)|\[?(ERROR|WARN(ING)?|INFO|DEBUG|TRACE|FATAL)\b[\]: ]"
    r"|error(\[\w+\]| TS\d+)?:|[\w.-]+@[\w.-]+[:~]|(https?|file)://\S+\s*$"
    r"|[\w./\\-]+:\d+(:\d+)?\b|[\w.@-]*/[\w./@-]*\s*$|[\u25b2\u2713\u2717]"
    r"|(const|let|var|import|from|def|class|function|return|export|public|private|use|fn|SELECT)\s"
    r".*[;{(:]\s*$)"
)
_CODE_END = re.compile(r"[{};]\s*$|\)\s*=>|</\w+>\s*$")
_LETTER = re.compile(r"[^\W_]")
_SIGN = re.compile(r"[^\w\s]|_")
_SPLIT = re.compile(
    r"(?<=[.!?\u2026])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bz\.B\.)\s+|(?<=[\u3002\uff01\uff1f])"
)

_ASKS = re.compile(
    r"[?\uff1f]|\b(please|can you|could you|i want|i need|i('d| would) like|we need|let'?s|"
    r"should|must|make sure|don'?t|instead|bitte|kannst du|"
    r"ich m\u00f6chte|wir brauchen|soll|s'il (te|vous)|"
    r"peux-tu|je veux|il faut|por favor|puedes|quiero|necesito|pode|preciso|quero|"
    r"\u043f\u043e\u0436\u0430\u043b\u0443\u0439\u0441\u0442\u0430|\u043d\u0443\u0436\u043d\u043e|"
    r"\u043c\u043e\u0436\u0435\u0448\u044c)\b"
    r"|\u8bf7|\u8acb|\u9700\u8981|\u5e2e|\u3066\u304f\u3060\u3055\u3044|\u3057\u3066\u307b\u3057\u3044|"
    r"\ud574\uc918|\ud574 \uc8fc\uc138\uc694",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"(fix|add|implement|create|write|remove|delete|update|change|refactor|rename|move|make|use|"
    r"run|check|review|explain|find|investigate|build|test|document|execute|continue|commit|push|"
    r"merge|improve|optimi[sz]e|replace|revert|set up|install|move|show|read|look|figure out|go|"
    r"behebe?|f\u00fcge?|erstelle?|schreibe?|entferne?|\u00e4ndere?|pr\u00fcfe?|"
    r"corrige|ajoute|cr\u00e9e|\u00e9cris|supprime|arregla|a\u00f1ade|crea|escribe|elimina|"
    r"corrija|adicione|crie|\u0438\u0441\u043f\u0440\u0430\u0432\u044c|\u0434\u043e\u0431\u0430\u0432\u044c|"
    r"\u0441\u043e\u0437\u0434\u0430\u0439|\u4fee\u590d|\u6dfb\u52a0|\u5b9e\u73b0)\b",
    re.IGNORECASE,
)
_NARRATES = re.compile(
    r"((ok(ay)?|good|great|perfect|excellent|right|alright|now|first|next|then|so|and|sure|yes|"
    r"got it|good (catch|question|point|idea))\b[\s,.!:\u2014-]*)*"
    r"(let me|let's (now )?(look|check|see|start|run|find|read)|i'll|i will|i'm going to|"
    r"i need to|now (i|update|wait|commit|add|test|run|check|verify|fix|create|the|for)|"
    r"i can see|i see|looking at|checking|reading|searching|lass mich|ich werde|ich schaue|"
    r"je vais|laissez-moi|voy a|d\u00e9jame|vou|deixe-me|"
    r"\u0434\u0430\u0432\u0430\u0439\u0442\u0435|"
    r"\u0441\u0435\u0439\u0447\u0430\u0441)\b"
    r"|\u8ba9\u6211|\u6211\u6765|\u6211\u5148|\u307e\u305a|\u78ba\u8a8d\u3057\u307e\u3059",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"(do you )?(want|would you like|shall i|should i|let me know|ready to|what('s| would| is) |"
    r"which (one|option)|reply with|m\u00f6chtest du|soll ich|voulez-vous|veux-tu|quieres|"
    r"deseja|\u9700\u8981\u6211|\u0445\u043e\u0442\u0438\u0442\u0435)",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"\b(done|fixed|added|removed|updated|created|implemented|committed|pushed|merged|complete[d]?|"
    r"root cause|the (issue|problem|bug|cause|fix|reason|error)|because|now (uses?|works?|passes)|"
    r"all tests|tests pass|decided|instead|summary|turns out|confirmed|erledigt|behoben|"
    r"hinzugef\u00fcgt|die ursache|weil|termin\u00e9|corrig\u00e9|ajout\u00e9|la cause|listo|hecho|"
    r"corregido|a\u00f1adido|feito|corrigido|\u0433\u043e\u0442\u043e\u0432\u043e|"
    r"\u0438\u0441\u043f\u0440\u0430\u0432\u043b\u0435\u043d\u043e)\b"
    r"|\u5df2|\u5b8c\u6210|\u539f\u56e0|\u5b8c\u4e86|\u4fee\u6b63\u3057\u307e\u3057\u305f",
    re.IGNORECASE,
)
_GREETS = re.compile(
    r"(hi|hey|hello|thanks?( you)?|hallo|bonjour|hola|ol\u00e1)\b\W*$", re.IGNORECASE
)


class Sentence(NamedTuple):
    """A sentence, and whether it is a heading or begins a paragraph."""

    text: str
    is_heading: bool = False
    begins: bool = False


def summary_of_prompt(text: str) -> str:
    """Return what was asked."""
    sentences = list(sentences_of(text))
    return _shown(sentences, [_worth_of_asking(sentences, n) for n in range(len(sentences))])


def summary_of_response(text: str) -> str:
    """Return what was answered, decided or done."""
    sentences = list(sentences_of(text))
    return _shown(sentences, _worths_of_answers(sentences))


def sentences_of(text: str, *, pasted_too: bool = True) -> Iterator[Sentence]:
    """Yield the sentences that a person or an agent wrote; what was pasted is left out.

    Of a long text the beginning and the end are read. A text of nothing but code or logs gives its
    first lines, unless `pasted_too` is off.
    """
    if len(text) > 2 * _LOOKED_AT:
        text = f"{text[:_LOOKED_AT]}\n\n{text[-_LOOKED_AT:]}"
    said = list(_spoken(_ESCAPE.sub("", text)))
    if pasted_too and not any(
        map(str.strip, said)
    ):  # nothing but code or logs: better than nothing
        said = [line for line in _ESCAPE.sub("", text).splitlines() if _LETTER.search(line)][:3]
    count = 0
    for paragraph in _paragraphs(said):
        is_heading = _HEADING.match(paragraph) is not None
        begins = True
        for part in _SPLIT.split(_plain(paragraph)):
            clean = printable(part).strip(" -:\u2014" if is_heading else " ")
            if _LETTER.search(clean):
                yield Sentence(clean, is_heading, begins)
                begins = False
                count += 1
        if count > _MOST_SENTENCES:
            return


def printable(text: str) -> str:
    """Return a text on one line without control characters and marks that reverse writing."""
    words = " ".join(text.split())
    if words.isprintable():
        return words
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _spoken(text: str) -> Iterator[str]:
    """Yield the lines that are no code, table, log or quotation; these leave a blank line."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif fence:
            if line.strip().startswith(fence):
                fence = ""
        elif not _is_pasted(line[:_MOST_IN_LINE]):
            yield line[:_MOST_IN_LINE]
            continue
        yield ""


def _is_pasted(line: str) -> bool:
    bare = line.strip()
    if not bare:
        return False
    if line.startswith(("    ", "\t")) and not _ITEM.match(line):
        return True
    signs = len(_SIGN.findall(bare))
    return bool(_PASTED.match(line) or _CODE_END.search(line)) or 2 * signs > len(bare) + 2


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Yield lines joined where a sentence goes on in the next one."""
    gathered = ""
    for line, following in pairwise([*lines, ""]):
        gathered = f"{gathered} {line.strip()}" if gathered else line
        goes_on = following[:1].islower() and not gathered.rstrip().endswith((".", ":", "?", "!"))
        if not goes_on and gathered.strip():
            yield gathered
            gathered = ""
        elif not gathered.strip():
            gathered = ""


def _plain(paragraph: str) -> str:
    """Return a paragraph without the marks of Markdown and the tags of HTML."""
    text = _ITEM.sub("", paragraph, count=1)
    if not _MARKED.search(text):
        return text
    text = _IMAGE.sub("", text)
    return _EMPHASIS.sub("", _LINK.sub(r"\1", _TAG.sub(" ", text)))


def _worth_of_asking(sentences: list[Sentence], at: int) -> float:
    """Return how much a sentence says about what is asked."""
    text, is_heading, _ = sentences[at]
    if _GREETS.match(text):
        return -1.0
    first = next((n for n, one in enumerate(sentences) if not one.is_heading), 0)
    worth = {first: 1.5, first + 1: 0.4}.get(at, 0.0)
    worth += 0.4 * (at == len(sentences) - 1)
    if at == first + 1 or (is_heading and at == 1):  # "Implement this plan:", and its title
        worth += 0.9 * sentences[at - 1].text.endswith(":")
    worth += 0.8 * bool(_ASKS.search(text, 0, _SIGNS_IN)) + 0.7 * bool(_ORDERS.match(text))
    return worth - 0.8 * is_heading - 0.5 * (len(text) < 12) - 0.002 * at


def _worths_of_answers(sentences: list[Sentence]) -> list[float]:
    """Return how much each sentence says about what came of it: what follows the last narration."""
    narrates = [_NARRATES.match(one.text) is not None for one in sentences]
    after = max((n for n, is_one in enumerate(narrates) if is_one), default=-1) + 1
    if after >= len(sentences) - 1 and sentences and narrates[-1]:
        after = 0
    worths = []
    for at, (text, is_heading, begins) in enumerate(sentences):
        offers = at > 0 and _OFFERS.match(text) is not None
        worth = -0.9 * narrates[at] - 0.9 * offers - 0.4 * is_heading - 0.3 * (len(text) < 8)
        worth += {after: 1.2, after + 1: 0.6, after + 2: 0.2}.get(at, 0.0)
        worth += (0.6 if at >= after else 0.3) * bool(
            _CONCLUDES.search(text, 0, _SIGNS_IN)
        ) + 0.1 * begins
        worths.append(worth - 0.002 * abs(at - after))
    return worths


def _shown(sentences: list[Sentence], worths: list[float]) -> str:
    """Return the best sentences that fit, in their order."""
    chosen: set[int] = set()
    size = 0
    for at in sorted(range(len(sentences)), key=lambda n: (-worths[n], n)):
        length = len(sentences[at].text) + 3
        is_next = at - 1 in chosen or at + 1 in chosen
        if chosen and (size + length > LONGEST or worths[at] <= 0):
            continue
        if is_next or _pieces(chosen) < _MOST_PIECES:
            chosen.add(at)
            size += length
    parts = []
    for before, at in pairwise([-1, *sorted(chosen)]):
        gap = "\u2026 " if before >= 0 and at > before + 1 else ""
        parts.append(gap + sentences[at].text)
    ended = [part if part[-1] in _ENDS else f"{part};" for part in parts[:-1]]
    return cut(" ".join([*ended, *parts[-1:]]), LONGEST)


def _pieces(chosen: set[int]) -> int:
    return sum(1 for at in chosen if at - 1 not in chosen)


def cut(text: str, longest: int) -> str:
    """Return a text that is at most so long, cut between words."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    space = head.rfind(" ")
    return (head[:space] if space > longest // 2 else head).rstrip(" ,;:") + "\u2026"
