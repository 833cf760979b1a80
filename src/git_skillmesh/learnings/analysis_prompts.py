"""What a person says to an agent: corrections, rules in words, reports of failure.

In: a prompt and whether edits came before it. Out: `Statement`s, each a sentence of the prompt as
it stands, with what it is worth from 0 to 1 and the signs that say so. No model is asked.

A sentence counts for its signs: each is a pattern with a weight, and weights are joined as
probabilities that do not know of each other. What programs say in the name of a person says
nothing, nor do pasted logs, code and quotations (`sessions.summaries` leaves them out). English
has most signs; of German, French, Spanish, Portuguese, Russian and Chinese the plainest are known.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from ..sessions.summaries import sentences_of

# From here on a sentence is taken for what it seems to be.
CORRECTS = 0.45
RULES = 0.5
# What is looked at: a person who corrects says so near the beginning, or near the end.
_SENTENCES = 40
_LONG = 12
_SHORTEST = 3  # words
_LONGEST = 400

_MACHINE = re.compile(
    r"\s*(This session is being continued|<(system-reminder|task-notification|command-|local-command"
    r"|bash-|ide_|user-memory|teammate-message|agent-)|Caveat: The messages below|\[Request interrupted"
    r"|Base directory for this skill|Stop hook feedback|Operation stopped by hook"
    r"|Your task is to create a detailed summary|Implement the following plan|Warmup$"
    r"|\[SUGGESTION MODE|\{\"task_id\"|Another session is active|API Error|Unknown (skill|command)"
    r"|The user (sent|selected|opened)|You are (an?|the) \w|# AGENTS\.md instructions"
    r"|<(user_instructions|environment_context|INSTRUCTIONS|permissions))"
)
_OUTPUT_OF_TASK = re.compile(r"Read the output file to retrieve the (full )?result")
_LOOKED_AT = 4_000
_COMMENT = ("//", "/*", "* ", "# ", "\u23ba", "\u23bf")


@dataclass(frozen=True, slots=True)
class Sign:
    """A pattern of words and what it is worth."""

    name: str
    weight: float
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that corrects, or that states a rule; both where both are high enough."""

    text: str
    correction: float
    rule: float
    signs: tuple[str, ...]

    @property
    def corrects(self) -> bool:
        """Whether it says that something should be otherwise than it is."""
        return self.correction >= CORRECTS

    @property
    def is_rule(self) -> bool:
        """Whether it says how things are to be done in general."""
        return self.rule >= RULES


def _signs(*rows: tuple[str, float, str]) -> tuple[Sign, ...]:
    return tuple(Sign(name, weight, re.compile(text, re.I)) for name, weight, text in rows)


_BEGIN = r"^\W*(?:(?:and|but|so|also|ok(?:ay)?|hm+|well|please|yes|yeah|right|cool|then|oh|ah|sorry)\b[\s,.:;-]*){0,3}"
_DOES = (
    r"(?:add|use|do|make|put|change|remove|delete|touch|commit|push|create|call|write|run|include"
    r"|rename|move|import|mention|hard-?code|hide|print|log|return|fall ?back|duplicate|skip|mock"
    r"|rely|assume|expose|store|keep|set|show|repeat|introduce|ignore|leave|edit|modify|break"
    r"|generate|guess|force|merge|squash|just|ever|try|copy|mix|wrap|swallow|throw|pass|test|install)"
)
_CORRECTIONS = _signs(
    ("no", 0.7, r"^\W*(?:(?:hm+|oh|ah|well|but|so)\b[\s,.]*)?(?:no|nope|nah|wrong|incorrect|stop)(?:\s*[,.!:;-]+\s*(?=\w)"
     r"(?!(?:problem|worries|thanks|thank you)\b|.{0,20}\b(?:fine|good|okay?|great|right|correct|perfect|all good)\b)|\s+(?:wait|let|we|i|it|this|that|you|please|just|actually"
     r"|not|don'?t|do not|use|remove|keep|leave|the)\b)"),
    ("instead of", 0.55, r"\b(?:instead of|rather than|not .{2,40}\bbut rather|in favou?r of)\b"),
    ("instead", 0.4, r"\binstead\b(?! of)"),
    ("that is wrong", 0.7, r"\b(?:that|this|it|these|those|which|the \w+(?: \w+)?)(?:'s| is| are| was|'re|s)"
     r" (?:just |still |also |completely |a bit |simply |actually )?"
     r"(?:wrong|incorrect|not (?:right|correct|true|accurate|what)|inaccurate|misleading|nonsense)\b"),
    ("not what", 0.7, r"\b(?:not what (?:i|we)|(?:i|we) (?:did ?n'?t|did not|never) "
     r"(?:ask|mean|want|say|said|asked|tell|told|request)|not (?:how|where|the way) (?:i|we|it|this))\b"),
    ("you did", 0.6, r"\byou (?:\w+ly )?(?:forgot|missed|misunderst\w+|broke|ignored|skipped|lost|overlooked"
     r"|should(?: not|n'?t)? have|should ?n'?t|were (?:not )?supposed|(?:have|'ve) (?:broken|forgotten"
     r"|missed|removed|deleted|ignored|misunderstood)|did ?n'?t|did not|have ?n'?t|keep \w+ing"
     r"|are (?:still|again)|removed|deleted|messed)\b"),
    ("do not", 0.6, _BEGIN + rf"(?:do not|don'?t|never|stop|avoid|no more)\b (?:\w+ly )?{_DOES}(?:ing)?\b"),
    ("do not", 0.5, rf"\b(?:please|just|you|and|but|so|,) (?:do not|don'?t|never|stop|must not|mustn'?t) {_DOES}(?:ing)?\b"),
    ("why did you", 0.5, r"\bwhy (?:did|do|are|have|would|is) (?:you|we|it|this|that|the \w+)"
     r" (?:\w+ )?(?:still|again|not|remove|delete|change|add|using|use|need|even|putting|doing|creat\w+|mak\w+|commit\w*|skip\w*|ignor\w+)\b"),
    ("i meant", 0.6, r"\b(?:i|we) (?:meant|mean)(?! to\b)\b|\bwhat i (?:want|wanted|meant|am asking|'m asking)\b"
     r"|\bim (?:just )?(?:referring|talking)|\bi(?:'m| am) (?:just )?(?:referring to|talking about)\b"),
    ("undo", 0.6, r"\b(?:revert|undo|roll(?:ing)? ?back|back out|take back|put back) "
     r"(?:that|this|it|the|your|those|these|all|to|my|everything|last)\b|\bput (?:it|that|this|them) back\b"),
    ("should be", 0.5, r"\b(?:this|that|it|these|those|they|which) should(?: not|n't| only| just| always| never| also)? (?!i\b|we\b|you\b|work\b|fix\b|do it\b)\w+"),
    ("should be", 0.4, r"\b(?:should|needs? to|has to|have to|must|ought to|supposed to) (?:not |only |always |never |still |really |just |rather |also )?"
     r"(?:be|use|go|live|belong|only|never|always|stay|come|match|return|work|point|not)\b"),
    ("should not", 0.45, r"\b(?:should ?n'?t|should not|must not|mustn'?t|can ?not just|can'?t just)\b"),
    ("not needed", 0.5, r"\b(?:no need (?:to|for)|(?:not|isn'?t|aren'?t|don'?t) (?:really )?need(?:ed)?(?: to)?|unnecessary|(?<!no )redundant"
     r"|overkill|superfluous|too (?:verbose|complicated|complex|much|many|long|big|generic|noisy))\b"),
    ("not like", 0.4, r"\b(?:i|we) (?:really )?(?:don'?t|do not) (?:like|want|think (?:we|you|it|that|this))\b|\bi(?:'d| would) (?:rather|prefer)\b"
     r"|\bfeels? (?:wrong|off|odd|weird|hacky)|\bnot (?:a )?(?:fan|great|good|ideal|nice|correct|right|happy)\b"),
    ("we have", 0.5, r"\bwe (?:already have|already|never|always|only|don'?t|do not|use|prefer)\b.{3,}"
     r"(?:\b(?:here|instead|not|already|for (?:this|that))\b|$)"),
    ("but", 0.2, r"^\W*(?:(?:ok(?:ay)?|hm+|yes|yeah|right|sure|well|cool)\b[\s,.]*)?(?:but|however|actually|although|wait)\b"),
    ("hm", 0.15, r"^\W*(?:hm+|uh|eh|ugh|oh no|nono|argh|wtf)\b"),
    ("only", 0.15, r"\b(?:only|just) (?:use|change|touch|do|keep|the)\b"),
    ("keep", 0.35, _BEGIN + r"(?:keep|leave|restore|bring back|move (?:it|that|this) back)\b"),
    ("same", 0.25, r"\bthe same (?:mistake|error|problem|thing) again|\bagain[!.]*$|\bi (?:already )?(?:told|said|asked)(?: you)?\b|\bas i said\b"),
    ("inconsistent", 0.4, r"\b(?:inconsistent|doesn'?t make (?:any )?sense|makes? no sense|not make sense|mismatch|out of (?:date|sync)|pointless|hacky)\b"),
    ("wrong thing", 0.45, r"\b(?:wrong|incorrect) (?:\w+)"),
    ("nein", 0.65, r"^\W*(?:nein|falsch|stopp|non|faux|nyet|errado|incorrecto|нет|стоп|неправильно|неверно|不对|不是|错了|違う|いや)(?=\W|[^\x00-\x7f]|$)(?!\W*$)"),
    ("statt", 0.6, r"\b(?:anstatt|statt (?!dessen)|stattdessen|au lieu de|plutôt que|en lugar de|en vez de|em vez de|ao invés de|вместо)\b|而不是|代わりに"),
    ("nicht", 0.5, r"\b(?:du hast (?:vergessen|übersehen)|das (?:ist|war) (?:falsch|nicht richtig)|mach das (?:nicht|weg)|tu as oublié|c'est (?:faux|incorrect)"
     r"|olvidaste|está mal|no uses|no hagas|esqueceu|está errado|não use|ты забыл|не надо|не используй)\b|不要|别用|忘了"),
    ("that is wrong", 0.6, r"\b(?:that|this|it|these|those)(?:'s| is| are|'re) not (?:the|a|an|what|how|where|why|supposed|expected|intended|meant|my|our|only|about|just)\b"),
    ("not correct", 0.55, r"\b(?:is|are|was|were|looks?|seems?)(?:n't| not) (?:really |quite |actually |entirely )?(?:right|correct|true|accurate|valid|what|supposed|expected|checking|testing|doing|using|needed|necessary)\b"),
    ("better", 0.45, r"\b(?:it'?s|it is|would be|might be|its|probably|i think) (?:probably |much )?(?:better|best|cleaner|safer|nicer|easier) (?:not )?(?:to|if)\b|\bbetter (?:not )?to \w+"),
    ("prefer", 0.5, r"\b(?:would|'d) (?:much )?(?:rather|prefer)(?: not)?\b"),
    ("will not work", 0.5, r"\b(?:won't|will not|can't|cannot|would ?n'?t) (?:really )?(?:work|scale|help|fix|solve|do)\b"),
    ("should have", 0.3, r"\bshould(?:n't| not)? have (?:been|had|done|\w+ed)\b"),
    ("do not forget", 0.5, r"\b(?:do not|don't|never) forget\b|\bdidn't (?:we|you) (?:forget|miss)\b"),
    ("never again", 0.5, r"\bnever (?:\w+ )?(?:again|happens?|repeats?|occurs?)\b|\b(?:this|it) (?:keeps|happened) (?:\w+ )?again\b"),
    ("why did you", 0.7, r"\bwhy (?:did|would|are|is|were|have|do) (?:you|the agent|claude|codex)\b(?! think| say| believe| mean)"),
    ("flaw", 0.5, r"\b(?:will|would|could|may|might|can) (?:\w+ )?(?:cause|lead to|break|fail|result in|panic|leak|crash|hide|mask|overwrite|lose)\b"
     r"|\bsilently\b|\bpotential (?:\w+ )?(?:issue|bug|problem|race)|\blogic (?:issue|error|bug|flaw)|\bcauses? .{3,60} to\b"
     r"|\brace condition\b|\bnever (?:set|called|used|checked|closed)\b|\bunhandled\b|\bunfiltered\b"),
    ("omits", 0.4, r"\b(?:omits?|is missing|are missing|missing (?:the|a|an)|lacks?|is lost|are lost|is undefined|is unused|is dead code|has no (?:effect|test))\b"),
    ("consider", 0.4, r"\bconsider (?:\w+ing)\b|^\W*(?:replace|change) (?:lines?|the|this|that|it)\b.{0,60}\b(?:with|to)\b"),
    ("not true", 0.5, r"\b(?:that|this|it)(?:'s| is| was)(?: \w+)? (?:on purpose|intentional|by design|only for|one-off)\b|\bone-off\b"),
    ("already", 0.5, r"\b(?:has|have|had|was|is|are|we|i|you) (?:\w+ )?already (?:been |got |have |has |had )?(?:\w+ed|done|there|set|exists?|have|has|in)\b.{0,30}$"),
    ("you cannot", 0.5, r"\byou (?:don't|do not|can't|cannot) (?:\w+ )?(?:have|need|just|use|assume|do|rely)\b"),
    ("did we not", 0.5, r"\bdid(?:n't)? (?:we|you|i) (?:not )?(?:already )?(?:go|discuss|agree|fix|say|remove|decide|change|talk|mention|ask)\b"),
    ("why not", 0.5, r"\bwhy (?:not|don't we|can't we|aren't we|isn't)\b(?!\W*$)|\bwhy (?:is|are|was|were) .{2,40}\bbeing \w+ed\b"),
    ("before you", 0.5, r"\bbefore you (?:go|do|start|make|continue|proceed|change|commit|push)\b|\bbefore making\b"),
    ("should be", 0.5, r"\bthe (?:\w+ )?(?:tests?|comment|function|method|variable|name|message|error|check|hook|code|field|param\w*|flag|logic|default|output|command) should(?:n't| not| only| just| always| never| also)? \w+"),
    ("let us not", 0.5, r"\blet(?:'s| us|s) not\b|\bmaybe not\b.{5,}"),
    ("prefer", 0.5, r"\b(?:i|we) (?:actually |really |still )?prefer\b"),
    ("i meant", 0.6, r"\b(?:what )?(?:i|we) (?:actually|really) (?:meant|wanted|asked|need)\b"),
    ("better", 0.45, r"\bbetter (?:idea|option|way|approach|place|name)\b"),
    ("but not", 0.45, r"\b(?:but|and) (?:is |are |was |were |does |do |it |it's |still )?(?:not|never|doesn't|don't|isn't|aren't) (?:\w+ )?(?:\w+ed|the|in|included|for|when|it|check|use|handle|set)\b"),
    ("flaw", 0.45, r"\b(?:won't|will not|would not|wouldn't) (?:\w+ )?(?:affect|be|handle|run|catch|match|compile|build|see|find|get)\b|\b(?:identical|exact) duplicate|\bduplicated? \w+"
     r"|\bnot really \w+ing\b|\bis (?:just|only) .{3,40} not\b"),
    ("redirect", 0.45, r"\b(?:can|could) (?:we|you|it) (?:please )?(?:just|rather|simply|not)\b"),
    ("dead", 0.5, r"\b(?:unreachable|dead code|unused|untested|lacks? (?:test|coverage)|not covered|no longer (?:used|needed)|overwrites?|only (?:calculated|checked|set|handled|implemented))\b"),
)  # fmt: skip
_RULES = _signs(
    ("always", 0.55, _BEGIN + r"(?:always|never)\b (?!seen|mind|ever|been|had|heard)\w+|\b(?:should|must|we|you|please) (?:always|never)\b"),
    ("in this project", 0.45, r"\b(?:in|for|across|throughout) (?:this|our|the (?:whole|entire)) (?:project|repo(?:sitory)?|code ?base|package|team|monorepo)\b"),
    ("we use", 0.45, r"\bwe (?:always|never|only|don'?t|do not|prefer|use|avoid|want to avoid|try to|follow|stick (?:to|with)|also use)\b"),
    ("must", 0.35, r"\b(?:must(?: not|n'?t)?|may not|shall not|not allowed|forbidden|has to|have to|required to)\b"),
    ("should", 0.2, r"\b(?:should(?: not|n'?t)?|needs? to)\b"),
    ("whenever", 0.35, r"\b(?:whenever|wherever|every ?time|any ?time|everywhere|in all (?:places|cases|tests|files)|for (?:all|every|any)|each time|all (?:the )?(?:tests|files|functions|new))\b"),
    ("from now on", 0.6, r"\b(?:from now on|going forward|next time|remember (?:to|that|not))\b"),
    ("keep in mind", 0.4, r"\b(?:keep|have|bear) in mind\b"),
    ("in future", 0.4, r"\b(?:in|for) (?:the )?future\b(?! session)"),
    ("convention", 0.45, r"\b(?:conventions?|style ?guide|guidelines?|coding standards?|best practices?|rule of thumb|as a rule|the rule is|policy)\b"),
    ("do not", 0.35, _BEGIN + rf"(?:do not|don'?t|avoid) (?:\w+ly )?{_DOES}(?:ing)?\b"),
    ("instead of", 0.2, r"\b(?:instead of|rather than)\b"),
    ("do not forget", 0.45, r"\b(?:do not|don't|never) forget\b"),
    ("never again", 0.6, r"\bnever (?:\w+ )?(?:again|happens?|repeats?|occurs?)\b|\bmemori[sz]e\b|\bremember this\b"),
    ("make sure", 0.15, r"\b(?:make sure|ensure)\b"),
    ("because", 0.05, r"\b(?:because|since|so that|otherwise)\b"),
    ("immer", 0.55, r"\b(?:immer|niemals|nie wieder|grundsätzlich|in diesem projekt|wir (?:benutzen|verwenden|nutzen)|toujours|jamais|dans ce projet|siempre|nunca|en este proyecto"
     r"|sempre|neste projeto|всегда|никогда|в этом проекте)\b|总是|永远不要|必ず|常に"),
)  # fmt: skip
_FAILS = re.compile(
    r"\b(?:still|again|does ?n'?t|is ?n'?t|are ?n'?t|not|did ?n'?t) (?:\w+ )?(?:work\w*|fail\w*|broken|pass\w*"
    r"|fix\w*|crash\w*|error\w*|build\w*|compil\w*|show\w*|start\w*|happen\w*|appear\w*)\b"
    r"|\b(?:tests?|build|ci|lint\w*|checks?|pipeline)\b.{0,30}\b(?:fail\w*|broken|red|crash\w*)\b"
    r"|\b(?:i(?:'m| am)? (?:still )?get(?:ting)?|there(?:'s| is)|throws?|got) (?:an?|the|this|same|following)? ?(?:\w+ )?errors?\b"
    r"|funktioniert (?:immer noch )?nicht|ne (?:marche|fonctionne) pas|no funciona|não funciona|не работает|还是不|動かな",
    re.I,
)  # fmt: skip
# A sentence that asks, tells of the person itself, or sets a task is seldom a correction.
_ASKS = re.compile(
    r"\?\W*$|^\W*(?:what|how|where|when|which|who|is|are|does|do|did|can|could|would|will|any|have|has)\b(?!.*[.!]$)", re.I
)  # fmt: skip
_URGES = re.compile(
    r"\b(?:should ?n'?t (?:we|it|this|that|you|the)|should(?: we)? not|isn'?t (?:that|this|it)|why (?:did|have|are|would) (?:you|the agent)|why is the agent|why (?:is|are|do|did) (?:we|you) (?:still|not)|why not|why (?:don't|can't|aren't|isn't)|why (?:is|are|was|were) .{2,40}being|should (?:it|this|that|they|we) not|did(?:n't)? (?:we|you) not|did not (?:we|you)|(?:can|could) (?:we|you|it) (?:please )?(?:just|rather|simply|not)\b"
    r"|(?:can|could|should) (?:we|you|it|this) (?:\w+ )?(?:\w+ ){0,8}(?:instead|rather)|aren'?t we|didn'?t (?:we|you|i))\b",
    re.I,
)  # fmt: skip
_OWN = re.compile(
    r"\b(?:i|my) (?:don'?t|do not) (?:know|understand|see|have|remember|get|recall|mind|care|think i)\b"
    r"|\b(?:i|we) (?:should|need to|have to|must|will|'ll) (?:probably |maybe |also )?(?:think|check|look|see|test|talk|know|decide|discuss|verify)\b"
    r"|\bnot sure\b|\bdon'?t worry\b|\bnever ?mind\b|\bi was wrong\b|\bmy (?:bad|mistake)\b|\bif (?:not|it|that|this|you|we|i)\b",
    re.I,
)  # fmt: skip
_TASK = re.compile(
    r"^\W*(?:/[\w:-]+ |(?:can|could) you (?:please )?(?:check|explain|look|review|verify|see|tell|find|summari\w+|help|run|show|create|write)"
    r"|i(?:'d| would) like (?:to|you)|i want (?:to|you to)|let'?s (?:create|start|go|do|add|implement|write|make|also))\b", re.I,
)  # fmt: skip


_OBJECTION = 0.45
_BUT = re.compile(
    r"^\W*(?:(?:sure|ok(?:ay)?|yes|yeah|yup|right|hm+|well|cool|fine|great|i see|good)[\s,.!:-]+){0,2}(?:but|no)\b(?! (?:why|what|how|where|which|when|is|are|can|could|do|problem)\b)"
    r"|^\W*(?:u+m+|nah|eh+)\b", re.I,
)  # fmt: skip
_RIGHT = re.compile(r"\b(?:right|no|yeah|correct|hey)\s*\?+\W*$", re.I)
_BARE_NO = re.compile(r"\W*(?:no|nope|nah|wrong|stop|nein|non|нет|不)\W*(?:\n|$)", re.I)
# For this time only: not a word on how things are done.
_ONE_SHOT = re.compile(
    r"\b(?:do not|don'?t|no need to) (?:\w+ )?(?:commit|push|merge|start|change anything|do anything|write (?:any )?code)\b"
    r"|\b(?:yet|for now|first)\W*$", re.I,
)  # fmt: skip


def is_machine(prompt: str) -> bool:
    """Return whether a program wrote a prompt in the name of a person."""
    head = prompt[:_LOOKED_AT]
    return not head.strip() or bool(_MACHINE.match(head) or _OUTPUT_OF_TASK.search(prompt[-600:]))


def statements(prompt: str, *, follows_edit: bool, is_first: bool = False) -> list[Statement]:
    """Return the sentences that correct or state a rule, in order.

    `follows_edit`: an exchange shortly before changed files. The first prompt of a session has
    nothing to correct.
    """
    if is_machine(prompt):
        return []
    said = [one.text for one in sentences_of(prompt) if not one.is_heading][:_SENTENCES]
    found = []
    for place, text in enumerate(said):
        one = judged(text[:_LONGEST], follows_edit=follows_edit, is_first=is_first)
        if not is_first and _objects(prompt, said, place):
            raised = round(1 - (1 - one.correction) * (1 - _OBJECTION), 3)
            one = Statement(one.text, raised, one.rule, ("objects", *one.signs))
        if place >= _LONG:  # far into a long text it is a specification that speaks
            one = Statement(one.text, one.correction * 0.7, one.rule * 0.7, one.signs)
        if one.corrects or one.is_rule:
            found.append(one)
    return found


def _objects(prompt: str, said: list[str], place: int) -> bool:
    """Return whether a sentence opens the prompt with an objection, or follows a bare "no"."""
    if place > 0:
        return place == 1 and bool(_BARE_NO.fullmatch(said[0]))
    words = len(said[0].split())
    asks = _ASKS.search(said[0]) and not _RIGHT.search(said[0])
    opens = bool(_BUT.match(said[0])) and not asks and words >= _SHORTEST
    return opens or (bool(_BARE_NO.match(prompt[:12].strip())) and not _BARE_NO.fullmatch(said[0]))


def judged(text: str, *, follows_edit: bool = True, is_first: bool = False) -> Statement:
    """Return what one sentence is worth as a correction and as a rule."""
    words = len(text.split())
    if text.startswith(_COMMENT):
        return Statement(text, 0.0, 0.0, ())
    if words < _SHORTEST and not re.search(r"[^\x00-\x7f]{4}", text):
        return Statement(text, 0.0, 0.0, ())
    plain = _spelled(text)
    corrections, rules = list(_found(_CORRECTIONS, plain)), list(_found(_RULES, plain))
    correction, rule = _joined(corrections), _joined(rules)
    asks, urges = bool(_ASKS.search(plain)), bool(_URGES.search(plain))
    if urges:
        corrections.append(_URGE)
        correction = _joined(corrections)
    elif asks:
        correction, rule = correction * 0.5, rule * 0.4
    if asks:
        rule *= 0.5
    if _OWN.search(plain):
        correction, rule = correction * 0.6, rule * 0.5
    if _ONE_SHOT.search(plain):
        correction *= 0.7
    if _TASK.search(plain):
        correction, rule = correction * 0.7, rule * 0.8
    if not follows_edit:
        correction *= 0.9
    if is_first:
        correction = 0.0
    if words < 5:
        rule *= 0.5
    names = dict.fromkeys(sign.name for sign in (*corrections, *rules))
    return Statement(text, round(correction, 3), round(rule, 3), tuple(names))


_URGE = Sign("urges", 0.45, re.compile(""))


_CONTRACTED = re.compile(
    r"\b(do|does|did|is|are|was|were|have|has|wo|ca|should|could|would|must)nt\b", re.I
)
_THATS = re.compile(r"\b(that|what|there|here)s\b", re.I)


def _spelled(text: str) -> str:
    """Return a text with the apostrophes that people leave out, or that come in other shapes."""
    text = text.replace("\u2019", "'").replace("\u02bc", "'")
    text = _THATS.sub(r"\1's", _CONTRACTED.sub(r"\1n't", text))
    return re.sub(r"\bim\b", "i'm", text, flags=re.I)


def reports_failure(prompt: str) -> bool:
    """Return whether a person says that something does not work."""
    if is_machine(prompt):
        return False
    return any(_FAILS.search(text) for text in _few(prompt))


def _few(prompt: str) -> Iterator[str]:
    for place, sentence in enumerate(sentences_of(prompt)):
        if place >= _LONG:
            return
        yield sentence.text


def _found(signs: tuple[Sign, ...], text: str) -> Iterator[Sign]:
    seen = set()
    for sign in signs:
        if sign.name not in seen and sign.pattern.search(text):
            seen.add(sign.name)
            yield sign


def _joined(signs: list[Sign]) -> float:
    return 1 - reduce(lambda left, sign: left * (1 - sign.weight), signs, 1.0)
