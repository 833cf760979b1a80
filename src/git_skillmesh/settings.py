"""The table of all settings: name, default, meaning, and who may decide it.

In: nothing. Out: `SETTINGS`: config.py reads values for it, docs/configuration.md is made from it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `name` is also its git config key under "skillmesh." and its TOML path.

    One of `lines` holds several values that may contain spaces, one a line: a list or a table in
    TOML, a key given more than once in git config. A `personal` one is the user's alone: what is
    cloned has no say in it.
    """

    name: str
    default: str
    help: str
    env: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False
    number: bool = False
    lines: bool = False
    personal: bool = False


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("repoid", "", "identity of the repository in shared stores; derived when empty"),
        Setting("reponame", "", "name of the repository in shared stores; derived when empty"),
        Setting(
            "chroma.impl",
            "persistent",
            "where the Chroma tier lives",
            "CHROMA_DB_IMPL",
            ("persistent", "http", "cloud", "off"),
        ),
        Setting("chroma.path", "", "folder of a persistent store", "CHROMA_DB_PATH"),
        Setting("chroma.url", "", "address of a Chroma server", "CHROMA_HTTP_URL"),
        Setting(
            "chroma.headers",
            "",
            "headers for the server, a JSON object",
            "CHROMA_HTTP_HEADERS",
            secret=True,
        ),
        Setting("chroma.tenant", "", "tenant of a server or of Chroma Cloud", "CHROMA_TENANT"),
        Setting(
            "chroma.database", "", "database of a server or of Chroma Cloud", "CHROMA_DATABASE"
        ),
        Setting("chroma.apikey", "", "key for Chroma Cloud", "CHROMA_API_KEY", secret=True),
        Setting(
            "chroma.cafile",
            "",
            "certificates of those who may vouch for the server, instead of the usual ones",
            personal=True,
        ),
        Setting(
            "chroma.follow",
            "auto",
            "what a server has the code of: auto (default branch of the remote), head, or a branch",
            "CHROMA_FOLLOW",
        ),
        Setting(
            "chroma.documents",
            "auto",
            "store the text of chunks too (auto: as they are there, first on a server only)",
            choices=("auto", "true", "false"),
        ),
        Setting(
            "embedding.provider",
            "builtin",
            "builtin, or a Chroma embedding function",
            "EMBEDDING_MODEL_PROVIDER",
        ),
        Setting("embedding.name", "", "model of that provider", "EMBEDDING_MODEL_NAME"),
        Setting("index.exclude", "", "globs of files to leave out, separated by spaces"),
        Setting("index.include", "", "globs of files to index although a rule leaves them out"),
        Setting("index.maxbytes", "1000000", "files larger than this are left out", number=True),
        Setting(
            "index.jobs",
            "0",
            "processes for a large index (0: one per core, at most 4)",
            number=True,
        ),
        Setting(
            "sessions.capture",
            "auto",
            "which conversations background work stores: all it finds, those hooks name, none",
            choices=("auto", "hooks", "off"),
        ),
        Setting(
            "redaction.pii",
            "home",
            "personal data that is redacted too: home, email, phone, card, ip, or all, or none",
        ),
        Setting("redaction.rules", "", "own rules, each `name = RE2 pattern`", lines=True),
        Setting(
            "redaction.allow",
            "",
            "values that may stay, or `/pattern/` of such values",
            lines=True,
        ),
        Setting(
            "sync.push",
            "off",
            "whether a push shares conversations too: after it, before it, only by hand, or never",
            "SKILLMESH_SYNC_PUSH",
            ("off", "auto", "wait", "never"),
        ),
        Setting(
            "sync.timeout",
            "30",
            "seconds for which a push waits with sync.push=wait",
            number=True,
        ),
        Setting(
            "link.days",
            "90",
            "how many days before a commit an edit may have been made that is linked to it",
            number=True,
        ),
        Setting(
            "context.prompts",
            "on",
            "whether agents are told what the memory knows of a prompt",
            choices=("on", "off"),
        ),
        Setting(
            "context.tokens",
            "1500",
            "how many tokens an agent is told at most",
            number=True,
        ),
        Setting("advise.endpoint", "", "server that `advise` asks", personal=True),
        Setting("advise.model", "", "model or adapter of that server", personal=True),
        Setting(
            "advise.tokenenv",
            "",
            "environment variable that holds the token of that server",
            personal=True,
        ),
        Setting(
            "train.base",
            "",
            "base model that `nightly` trains for: a path or a hub id",
            personal=True,
        ),
        Setting(
            "train.method",
            "sft",
            "how `nightly` trains",
            choices=("sft", "kto", "dpo"),
        ),
        Setting(
            "train.preset",
            "tiny",
            "how large the base is that `nightly` trains for",
            choices=("tiny", "0.5b", "1.5b", "7b"),
        ),
        Setting(
            "train.minimumlines",
            "20",
            "how many new lines of data are worth a training at night",
            number=True,
        ),
        Setting(
            "adaptersfolder",
            "",
            "folder of the adapters, shared by whoever deploys; beside the caches when empty",
            personal=True,
        ),
        Setting("signingkey", "", "key of ssh that signs deployments of adapters", personal=True),
        Setting("allowedsigners", "", "file of those whose signatures on deployments count"),
        Setting(
            "vllm.url",
            "",
            "address of a vLLM server that is told to load adapters",
            personal=True,
        ),
        Setting(
            "monitoring",
            "on",
            "whether durations, outcomes and findings are recorded in this clone, without contents",
            "SKILLMESH_MONITORING",
            ("on", "off"),
        ),
        Setting(
            "log.level",
            "info",
            "what the log of background work keeps: runs (debug, info) or failures only",
            "LOG_LEVEL",
            ("debug", "info", "warning", "error", "critical"),
        ),
    )
}
