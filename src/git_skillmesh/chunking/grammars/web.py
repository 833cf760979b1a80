"""Languages of the web: JavaScript, TypeScript, components, HTML, styles, GraphQL, Solidity."""

import re

from git_skillmesh.chunking.grammar import Def, Grammar, Heads, each, words

_FUNCTION = (
    r"(?:async\s*)?(?:function\b|\([^()]*(?:\([^()]*\)[^()]*)*\)\s*(?::[^=\n]+)?=>|[\w$]+\s*=>)"
)
_CALLABLE = {
    "arrow_function": "function",
    "function_expression": "function",
    "generator_function": "function",
    "class": "class",
}

_JAVASCRIPT = Grammar(
    parser="javascript",
    defs={
        **each(
            "function", "function_declaration generator_function_declaration function_signature"
        ),
        **each("class", "class_declaration abstract_class_declaration"),
        **each("method", "method_definition method_signature abstract_method_signature"),
        **each("interface", "interface_declaration"),
        **each("enum", "enum_declaration"),
        **each("type", "type_alias_declaration"),
        **each("module", "internal_module module"),
        "variable_declarator": Def("variable", "name", _CALLABLE),
        "field_definition": Def("variable", "property", _CALLABLE),
        "public_field_definition": Def("variable", "name", _CALLABLE),
        "assignment_expression": Heads(
            ("function", rf"(?P<n>[\w$]+(?:\.[\w$]+)*)\s*=\s*{_FUNCTION}"),
            ("class", r"(?P<n>[\w$]+(?:\.[\w$]+)*)\s*=\s*class\b"),
        ),
        "pair": Heads(("method", rf"""["']?(?P<n>[\w$-]+)["']?\s*:\s*{_FUNCTION}""")),
        "call_expression": Heads(
            (
                "test",
                r"""(?:describe|suite|test|it)(?:\.\w+)*\(\s*(?P<n>"[^"\n]*"|'[^'\n]*'|`[^`\n]*`)""",
            ),
        ),
    },
    flat=words(
        "export_statement lexical_declaration variable_declaration expression_statement"
        " class_body interface_body statement_block object object_type ambient_declaration"
        " parenthesized_expression export_clause switch_body"
    ),
    peek=words("if_statement try_statement"),
    prefix=words("decorator"),
    owner=re.compile(r"\."),
    ignore=words("prototype module exports this window self globalThis"),
)


def _script(parser: str) -> Grammar:
    return Grammar(
        parser=parser,
        defs=_JAVASCRIPT.defs,
        flat=_JAVASCRIPT.flat,
        peek=_JAVASCRIPT.peek,
        prefix=_JAVASCRIPT.prefix,
        owner=_JAVASCRIPT.owner,
        ignore=_JAVASCRIPT.ignore,
    )


_IDENTIFIED = Heads(("section", r"""<[\w-]+\s[^>]*?\bid\s*=\s*["']?(?P<n>[\w.:-]+)"""))

_SELECTOR = r"(?P<n>[^{;]+?)\s*\{"

_STYLES = {
    "rule_set": Heads(("rule", _SELECTOR)),
    "media_statement": Heads(("rule", _SELECTOR)),
    "supports_statement": Heads(("rule", _SELECTOR)),
    "keyframes_statement": Heads(("rule", _SELECTOR)),
    "at_rule": Heads(("rule", _SELECTOR)),
}


def _page(parser: str) -> Grammar:
    return Grammar(
        parser=parser,
        defs={
            "element": _IDENTIFIED,
            "template_element": Heads(("section", r"<(?P<n>template)\b")),
        },
        prefix=words("start_tag"),
        peek=words("element"),
        tail=words("end_tag"),
        embed={
            "script_element": "javascript",
            "style_element": "css",
            "frontmatter_js_block": "typescript",
        },
    )


GRAMMARS: dict[str, Grammar] = {
    "javascript": _JAVASCRIPT,
    "jsx": _JAVASCRIPT,
    "typescript": _script("typescript"),
    "tsx": _script("tsx"),
    "html": _page("html"),
    "vue": _page("vue"),
    "svelte": _page("svelte"),
    "astro": _page("astro"),
    "css": Grammar(parser="css", defs=_STYLES, flat=words("block")),
    "scss": Grammar(
        parser="scss",
        defs={
            **_STYLES,
            **each("macro", "mixin_statement"),
            **each("function", "function_statement"),
            "declaration": Heads(("variable", r"\$(?P<n>[\w-]+)\s*:")),
        },
        flat=words("block"),
    ),
    "graphql": Grammar(
        parser="graphql",
        defs={
            "object_type_definition": Def("type", "@name"),
            "object_type_extension": Def("impl", "@name"),
            "interface_type_definition": Def("interface", "@name"),
            "interface_type_extension": Def("impl", "@name"),
            "enum_type_definition": Def("enum", "@name"),
            "input_object_type_definition": Def("struct", "@name"),
            "union_type_definition": Def("type", "@name"),
            "scalar_type_definition": Def("type", "@name"),
            "directive_definition": Def("macro", "@name"),
            "operation_definition": Def("function", "@name"),
            "fragment_definition": Def("function", "@fragment_name"),
        },
        flat=words(
            "document definition type_system_definition type_definition type_system_extension"
            " type_extension executable_definition fields_definition enum_values_definition"
            " input_fields_definition selection_set"
        ),
        docs=words("description"),
    ),
    "solidity": Grammar(
        parser="solidity",
        defs={
            **each("class", "contract_declaration"),
            **each("module", "library_declaration"),
            **each("interface", "interface_declaration"),
            **each("function", "function_definition"),
            **each("macro", "modifier_definition"),
            **each("struct", "struct_declaration"),
            **each("enum", "enum_declaration"),
            **each("type", "event_definition error_declaration user_defined_type_definition"),
            **each("variable", "state_variable_declaration"),
            "constructor_definition": Heads(("method", r"(?P<n>constructor)")),
        },
        flat=words("contract_body function_body"),
    ),
}
