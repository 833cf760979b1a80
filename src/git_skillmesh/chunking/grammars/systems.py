"""Systems languages: C and its relatives, Go, Rust, Zig, Fortran, Ada, hardware description."""

import re

from git_skillmesh.chunking.grammar import Def, Grammar, Heads, each, words

_C_DEFS: dict[str, Def | Heads] = {
    "function_definition": Def("function", "declarator+"),
    "declaration": Def("variable", "declarator+", {"function_declarator": "function"}),
    "struct_specifier": Def("struct"),
    "union_specifier": Def("struct"),
    "enum_specifier": Def("enum"),
    "type_definition": Def(
        "type",
        "declarator+",
        {"struct_specifier": "struct", "union_specifier": "struct", "enum_specifier": "enum"},
    ),
    **each("macro", "preproc_def preproc_function_def"),
}

_C_FLAT = words(
    "preproc_if preproc_ifdef preproc_else preproc_elif preproc_elifdef linkage_specification"
    " declaration_list field_declaration_list compound_statement enumerator_list"
)

_CPP_DEFS: dict[str, Def | Heads] = {
    **_C_DEFS,
    **each("class", "class_specifier"),
    **each("module", "namespace_definition"),
    **each("type", "alias_declaration concept_definition"),
    "field_declaration": Def("variable", "declarator+", {"function_declarator": "method"}),
}

_CPP_FLAT = _C_FLAT | words("template_declaration export_declaration")
_CPP_PREFIX = words(
    "template_parameter_list requires_clause access_specifier attribute_declaration"
)


def _c(parser: str) -> Grammar:
    return Grammar(
        parser=parser,
        defs=_C_DEFS,
        flat=_C_FLAT,
        prefix=words("attribute_declaration"),
        owner=re.compile(r"::"),
    )


def _cpp(parser: str) -> Grammar:
    return Grammar(
        parser=parser,
        defs=_CPP_DEFS,
        flat=_CPP_FLAT,
        prefix=_CPP_PREFIX,
        owner=re.compile(r"::"),
    )


GRAMMARS: dict[str, Grammar] = {
    "c": _c("c"),
    "cpp": _cpp("cpp"),
    "cuda": _cpp("cuda"),
    "arduino": _cpp("arduino"),
    "glsl": _c("glsl"),
    "hlsl": _cpp("hlsl"),
    "objc": Grammar(
        parser="objc",
        defs={
            **_C_DEFS,
            "class_interface": Def("interface", "@identifier"),
            "class_implementation": Def("class", "@identifier"),
            "protocol_declaration": Def("interface", "@identifier"),
            "method_definition": Def("method", "@identifier"),
            "method_declaration": Def("method", "@identifier"),
            "property_declaration": Heads(("variable", r"[^;{]*?(?P<n>\w+)\s*;")),
        },
        flat=_C_FLAT | words("implementation_definition"),
        owner=re.compile(r"::"),
    ),
    "go": Grammar(
        parser="go",
        defs={
            "function_declaration": Def("function"),
            "method_declaration": Heads(
                (
                    "method",
                    r"func\s*\(\s*(?:\w+\s+)?\*?\s*(?P<o>\w+)(?:\[[^\]]*\])?\s*\)\s*(?P<n>\w+)",
                )
            ),
            "type_spec": Def(
                "type", "name", {"struct_type": "struct", "interface_type": "interface"}
            ),
            **each("type", "type_alias"),
            **each("variable", "const_spec var_spec"),
        },
        flat=words(
            "type_declaration const_declaration var_declaration var_spec_list block statement_list"
            " struct_type field_declaration_list interface_type"
        ),
    ),
    "rust": Grammar(
        parser="rust",
        defs={
            **each("function", "function_item function_signature_item"),
            **each("struct", "struct_item union_item"),
            **each("enum", "enum_item"),
            **each("trait", "trait_item"),
            **each("module", "mod_item"),
            **each("macro", "macro_definition"),
            **each("type", "type_item associated_type"),
            **each("variable", "const_item static_item"),
            "impl_item": Def("impl", "type/type|type/name|type"),
        },
        flat=words(
            "declaration_list block field_declaration_list enum_variant_list expression_statement"
        ),
        peek=words("foreign_mod_item"),
        prefix=words("attribute_item"),
    ),
    "zig": Grammar(
        parser="zig",
        defs={
            "Decl": Heads(
                (
                    "function",
                    r"(?:(?:export|extern|inline|noinline)\s+(?:\"\w+\"\s+)?)*fn\s+(?P<n>\w+)",
                ),
                (
                    "struct",
                    r"(?:const|var)\s+(?P<n>\w+)[^=\n]*=\s*(?:packed\s+|extern\s+)?"
                    r"(?:struct|union|opaque)\b",
                ),
                ("enum", r"(?:const|var)\s+(?P<n>\w+)[^=\n]*=\s*(?:enum|error)\b"),
                ("variable", r"(?:const|var)\s+(?P<n>\w+)"),
            ),
            "TestDecl": Heads(("test", r"test\s+(?P<n>\"[^\"\n]*\"|\w+)")),
        },
        flat=words("Block"),
        peek=words(
            "VarDecl ErrorUnionExpr SuffixExpr ContainerDecl ContainerDeclAuto ContainerMembers"
        ),
        prefix=words("doc_comment"),
    ),
    "odin": Grammar(
        parser="odin",
        defs={
            "procedure_declaration": Heads(("function", r"(?P<n>\w+)")),
            "struct_declaration": Heads(("struct", r"(?P<n>\w+)")),
            "enum_declaration": Heads(("enum", r"(?P<n>\w+)")),
            "union_declaration": Heads(("struct", r"(?P<n>\w+)")),
            "const_declaration": Heads(("variable", r"(?P<n>\w+)")),
        },
        flat=words("block"),
    ),
    "fortran": Grammar(
        parser="fortran",
        defs={
            "module": Def("module", "@module_statement/@name"),
            "submodule": Def("module", "@submodule_statement/@name"),
            "program": Def("module", "@program_statement/@name"),
            "subroutine": Def("function", "@subroutine_statement/name"),
            "function": Def("function", "@function_statement/name"),
            "module_procedure": Def("function", "@module_procedure_statement/name"),
            "derived_type_definition": Def("struct", "@derived_type_statement/@type_name"),
            "interface": Def("interface", "@interface_statement/@name"),
        },
        flat=words("internal_procedures"),
        tail=words(
            "end_module_statement end_submodule_statement end_program_statement"
            " end_subroutine_statement end_function_statement end_type_statement"
            " end_interface_statement end_module_procedure_statement"
        ),
    ),
    "ada": Grammar(
        parser="ada",
        defs={
            **each("module", "package_body package_declaration"),
            "subprogram_body": Heads(
                (
                    "function",
                    r"(?i:(?:overriding\s+)?(?:procedure|function))\s+(?P<n>[\w.\"+*/=<>-]+)",
                )
            ),
            "subprogram_declaration": Heads(
                (
                    "function",
                    r"(?i:(?:overriding\s+)?(?:procedure|function))\s+(?P<n>[\w.\"+*/=<>-]+)",
                )
            ),
            "full_type_declaration": Heads(("type", r"(?i:type)\s+(?P<n>\w+)")),
            "task_body": Heads(("class", r"(?i:task\s+body)\s+(?P<n>\w+)")),
            "protected_body": Heads(("class", r"(?i:protected\s+body)\s+(?P<n>\w+)")),
        },
        flat=words("compilation_unit non_empty_declarative_part handled_sequence_of_statements"),
    ),
    "pascal": Grammar(
        parser="pascal",
        defs={
            "defProc": Heads(
                (
                    "function",
                    r"(?i:class\s+)?(?i:procedure|function|constructor|destructor|operator)\s+(?P<n>[\w.]+)",
                )
            ),
            "declProc": Heads(
                (
                    "function",
                    r"(?i:class\s+)?(?i:procedure|function|constructor|destructor|operator)\s+(?P<n>[\w.]+)",
                )
            ),
            "declType": Def("type", "name", {"declClass": "class", "declIntf": "interface"}),
            "declConst": Def("variable"),
        },
        flat=words(
            "unit interface implementation declTypes declConsts declVars declSection declClass"
            " block"
        ),
        owner=re.compile(r"\."),
    ),
    "verilog": Grammar(
        parser="verilog",
        defs={
            "module_declaration": Heads(
                ("module", r"(?:macro)?module\s+(?:automatic\s+|static\s+)?(?P<n>\w+)")
            ),
            "package_declaration": Heads(("module", r"package\s+(?:automatic\s+)?(?P<n>\w+)")),
            "interface_declaration": Heads(("interface", r"interface\s+(?P<n>\w+)")),
            "class_declaration": Heads(("class", r"(?:virtual\s+)?class\s+(?P<n>\w+)")),
            "function_declaration": Heads(
                ("function", r"function\s+(?:[^;(]*?[\s\]])??(?P<n>\w+)\s*[;(]")
            ),
            "task_declaration": Heads(
                ("function", r"task\s+(?:automatic\s+|static\s+)?(?P<n>\w+)")
            ),
        },
        flat=words("module_or_generate_item package_or_generate_item_declaration"),
    ),
    "vhdl": Grammar(
        parser="vhdl",
        defs={
            "entity_declaration": Heads(("module", r"(?i:entity)\s+(?P<n>\w+)")),
            "architecture_definition": Heads(
                ("impl", r"(?i:architecture)\s+\w+\s+(?i:of)\s+(?P<n>\w+)")
            ),
            "package_declaration": Heads(("module", r"(?i:package)\s+(?P<n>\w+)")),
            "package_definition": Heads(("module", r"(?i:package\s+body)\s+(?P<n>\w+)")),
            "function_body": Heads(
                ("function", r"(?i:(?:pure|impure)\s+)?(?i:function)\s+(?P<n>\w+)")
            ),
            "procedure_body": Heads(("function", r"(?i:procedure)\s+(?P<n>\w+)")),
        },
        flat=words("design_unit design_file concurrent_block"),
    ),
}
