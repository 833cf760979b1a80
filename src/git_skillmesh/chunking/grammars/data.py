"""Configuration and mark-up: JSON, TOML, INI, XML, LaTeX, properties."""

from git_skillmesh.chunking.grammar import Def, Grammar, Heads, each, words

_JSON_KEY = Heads(("key", r"\"(?P<n>[^\"\n]*)\""))

GRAMMARS: dict[str, Grammar] = {
    "json": Grammar(parser="json", defs={"pair": _JSON_KEY}, peek=words("object")),
    "toml": Grammar(
        parser="toml",
        defs={
            "table": Heads(("section", r"\[\s*(?P<n>[^\]\n]+?)\s*\]")),
            "table_array_element": Heads(("section", r"\[\[\s*(?P<n>[^\]\n]+?)\s*\]\]")),
            "pair": Heads(("key", r"(?P<n>[^=\n]+?)\s*=")),
        },
    ),
    "ini": Grammar(
        parser="ini",
        defs={
            "section": Heads(("section", r"\[\s*(?P<n>[^\]\n]+?)\s*\]")),
            "setting": Def("key", "@setting_name"),
        },
    ),
    "properties": Grammar(parser="properties", defs={"property": Def("key", "@key")}),
    "xml": Grammar(
        parser="xml",
        defs={
            "element": Heads(
                ("key", r"""<[\w:.-]+\s[^>]*?\b(?:id|name|key)\s*=\s*["'](?P<n>[^"'\n]+)"""),
                ("key", r"<(?P<n>[\w:.-]+)"),
            )
        },
        flat=words("content"),
        tail=words("ETag"),
    ),
    "latex": Grammar(
        parser="latex",
        defs={
            **{
                t: Heads(("section", r"\\\w+\*?(?:\[[^\]]*\])?\{(?P<n>[^}\n]*)"))
                for t in (
                    "part",
                    "chapter",
                    "section",
                    "subsection",
                    "subsubsection",
                    "paragraph",
                )
            },
            "new_command_definition": Heads(("macro", r"\\\w+\*?\{?(?P<n>\\\w+)")),
            **each("macro", "environment_definition"),
        },
        flat=words("generic_environment"),
        tail=words("end"),
    ),
}
