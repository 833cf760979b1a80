"""Schemas, builds and infrastructure: SQL, Docker, HCL, Protobuf, Make, CMake, Thrift and so on."""

import re

from git_skillmesh.chunking.grammar import Def, Grammar, Heads, words

_NAME = r"(?P<n>[\w.\"`\[\]$]+)"
_CREATE = (
    r"(?i:create|alter)\s+(?i:or\s+(?:replace|alter)\s+)?"
    r"(?i:(?:global|local|temp|temporary|unlogged|external|materialized|unique|recursive)\s+)*"
)
_UNLESS = r"(?i:if\s+(?:not\s+)?exists\s+)?(?i:only\s+)?(?i:concurrently\s+)?"

_SQL = Heads(
    ("table", rf"{_CREATE}(?i:table|view)\s+{_UNLESS}{_NAME}"),
    ("function", rf"{_CREATE}(?i:function|procedure|trigger|aggregate)\s+{_UNLESS}{_NAME}"),
    ("type", rf"{_CREATE}(?i:type|domain)\s+{_UNLESS}{_NAME}"),
    ("module", rf"{_CREATE}(?i:schema|database|extension|package)\s+{_UNLESS}{_NAME}"),
    ("variable", rf"{_CREATE}(?i:index|sequence|policy|role)\s+{_UNLESS}{_NAME}"),
)

_LABEL = r"\"?[^\"\s{]+\"?"


GRAMMARS: dict[str, Grammar] = {
    "sql": Grammar(
        parser="sql",
        defs={"statement": _SQL},
        peek=words("transaction block"),
    ),
    "dockerfile": Grammar(
        parser="dockerfile",
        defs={
            "from_instruction": Heads(
                ("section", r"(?i:from)\s+(?:--\S+\s+)*\S+\s+(?i:as)\s+(?P<n>\S+)"),
                ("section", r"(?i:from)\s+(?:--\S+\s+)*(?P<n>\S+)"),
            ),
        },
    ),
    "hcl": Grammar(
        parser="hcl",
        defs={
            "block": Heads(
                ("key", rf"[\w-]+\s+(?P<o>{_LABEL})\s+(?P<n>{_LABEL})\s*\{{"),
                ("key", rf"(?P<o>[\w-]+)\s+(?P<n>{_LABEL})\s*\{{"),
                ("key", r"(?P<n>[\w-]+)\s*\{"),
            ),
            "attribute": Heads(("key", r"(?P<n>[\w-]+)\s*=")),
        },
        flat=words("body"),
        tail=words("block_end"),
    ),
    "proto": Grammar(
        parser="proto",
        defs={
            "message": Def("struct", "@message_name"),
            "enum": Def("enum", "@enum_name"),
            "service": Def("interface", "@service_name"),
            "rpc": Def("method", "@rpc_name"),
            "extend": Def("impl", "@full_ident"),
        },
        flat=words("message_body enum_body"),
    ),
    "thrift": Grammar(
        parser="thrift",
        defs={
            "struct_definition": Heads(("struct", r"struct\s+(?P<n>\w+)")),
            "union_definition": Heads(("struct", r"union\s+(?P<n>\w+)")),
            "exception_definition": Heads(("struct", r"exception\s+(?P<n>\w+)")),
            "enum_definition": Heads(("enum", r"enum\s+(?P<n>\w+)")),
            "service_definition": Heads(("interface", r"service\s+(?P<n>\w+)")),
            "typedef_definition": Heads(("type", r"typedef\s+[^\n]*?(?P<n>\w+)\s*(?:;|\n|$)")),
            "const_definition": Heads(("variable", r"const\s+\S+\s+(?P<n>\w+)")),
        },
    ),
    "prisma": Grammar(
        parser="prisma",
        defs={
            "model_block": Heads(("table", r"(?:model|view)\s+(?P<n>\w+)")),
            "view_block": Heads(("table", r"view\s+(?P<n>\w+)")),
            "enum_block": Heads(("enum", r"enum\s+(?P<n>\w+)")),
            "type_block": Heads(("type", r"type\s+(?P<n>\w+)")),
            "key_value_block": Heads(("key", r"\w+\s+(?P<n>\w+)")),
        },
    ),
    "make": Grammar(
        parser="make",
        defs={
            "rule": Heads(("rule", r"(?!\.[A-Z])(?P<n>[^:=\n]+?)\s*:")),
            "variable_assignment": Def("variable"),
            "define_directive": Def("macro"),
        },
        peek=words("conditional"),
    ),
    "cmake": Grammar(
        parser="cmake",
        defs={
            "function_def": Heads(("function", r"(?i:function)\s*\(\s*(?P<n>\w+)")),
            "macro_def": Heads(("macro", r"(?i:macro)\s*\(\s*(?P<n>\w+)")),
            "normal_command": Heads(
                (
                    "rule",
                    r"(?i:add_executable|add_library|add_custom_target|project|add_test)"
                    r"\s*\(\s*(?i:name\s+)?(?P<n>[\w${}.-]+)",
                ),
                ("variable", r"(?i:set|option)\s*\(\s*(?P<n>\w+)"),
            ),
        },
        flat=words("body"),
        peek=words("if_condition"),
        tail=words("endfunction_command endmacro_command"),
    ),
    "meson": Grammar(
        parser="meson",
        defs={"operatorunit": Heads(("variable", r"(?P<n>\w+)\s*="))},
    ),
    "puppet": Grammar(
        parser="puppet",
        defs={
            "class_definition": Heads(("class", r"class\s+(?P<n>[\w:]+)")),
            "defined_resource_type": Heads(("type", r"define\s+(?P<n>[\w:]+)")),
            "node_definition": Heads(("key", r"node\s+(?P<n>[^\s{]+)")),
            "function_declaration": Heads(("function", r"function\s+(?P<n>[\w:]+)")),
        },
        flat=words("block"),
        owner=re.compile(r"::"),
    ),
    "capnp": Grammar(
        parser="capnp",
        defs={
            "struct": Heads(("struct", r"struct\s+(?P<n>\w+)")),
            "enum": Heads(("enum", r"enum\s+(?P<n>\w+)")),
            "interface": Heads(("interface", r"interface\s+(?P<n>\w+)")),
        },
    ),
    "smithy": Grammar(
        parser="smithy",
        defs={
            "structure_statement": Heads(("struct", r"structure\s+(?P<n>\w+)")),
            "service_statement": Heads(("interface", r"service\s+(?P<n>\w+)")),
            "operation_statement": Heads(("function", r"operation\s+(?P<n>\w+)")),
            "resource_statement": Heads(("key", r"resource\s+(?P<n>\w+)")),
        },
        prefix=words("trait_statements"),
    ),
    "rego": Grammar(
        parser="rego",
        defs={"rule": Heads(("rule", r"(?:default\s+)?(?P<n>[\w.]+)"))},
        flat=words("policy module"),
        join=words("rule"),
    ),
}
