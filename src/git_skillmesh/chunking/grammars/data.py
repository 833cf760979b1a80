"""Configuration and mark-up that have a grammar: YAML, TOML, JSON, INI, XML, LaTeX, properties."""

from git_skillmesh.chunking.grammar import Def, Grammar, each, heads, words

_JSON_KEY = heads(("key", r"\"(?P<n>[^\"\n]*)\""))

GRAMMARS: dict[str, Grammar] = {
    "json": Grammar(parser="json", defs={"pair": _JSON_KEY}, peek=words("object")),
    "yaml": Grammar(
        parser="yaml",
        defs={"block_mapping_pair": Def("key", "key"), "flow_pair": Def("key", "key")},
        flat=words("document block_node block_mapping block_sequence flow_node flow_mapping"),
    ),
    "toml": Grammar(
        parser="toml",
        defs={
            "table": heads(("section", r"\[\s*(?P<n>[^\]\n]+?)\s*\]")),
            "table_array_element": heads(("section", r"\[\[\s*(?P<n>[^\]\n]+?)\s*\]\]")),
            "pair": heads(("key", r"(?P<n>[^=\n]+?)\s*=")),
        },
    ),
    "ini": Grammar(
        parser="ini",
        defs={
            "section": heads(("section", r"\[\s*(?P<n>[^\]\n]+?)\s*\]")),
            "setting": Def("key", "@setting_name"),
        },
    ),
    "properties": Grammar(parser="properties", defs={"property": Def("key", "@key")}),
    "xml": Grammar(
        parser="xml",
        defs={
            "element": heads(
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
                t: heads(("section", r"\\\w+\*?(?:\[[^\]]*\])?\{(?P<n>[^}\n]*)"))
                for t in (
                    "part",
                    "chapter",
                    "section",
                    "subsection",
                    "subsubsection",
                    "paragraph",
                )
            },
            "new_command_definition": heads(("macro", r"\\\w+\*?\{?(?P<n>\\\w+)")),
            **each("macro", "environment_definition"),
        },
        flat=words("generic_environment"),
        tail=words("end"),
    ),
}
