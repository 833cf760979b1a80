"""Scripting languages: Python, Ruby, PHP, Lua, Perl, shells, R, Julia, Vim, Tcl, Groovy."""

import re

from git_skillmesh.chunking.grammar import Def, Grammar, Heads, each, words

_PYTHON = Grammar(
    parser="python",
    defs={
        "function_definition": Def("function"),
        "class_definition": Def("class"),
        "assignment": Def("variable", "left"),
        "type_alias_statement": Def("type", "left"),
    },
    flat=words("decorated_definition block expression_statement"),
    peek=words(
        "if_statement elif_clause else_clause try_statement except_clause finally_clause"
        " with_statement"
    ),
    prefix=words("decorator"),
    docs=words("string concatenated_string"),
)

GRAMMARS: dict[str, Grammar] = {
    "python": _PYTHON,
    "starlark": Grammar(
        parser="starlark",
        defs=_PYTHON.defs,
        flat=_PYTHON.flat,
        peek=_PYTHON.peek,
        docs=_PYTHON.docs,
    ),
    "ruby": Grammar(
        parser="ruby",
        defs={
            "method": Def("function"),
            "singleton_method": Def("method"),
            "class": Def("class"),
            "singleton_class": Def("class", "value"),
            "module": Def("module"),
            "assignment": Def("variable", "left/@constant|left"),
            "call": Heads(
                (
                    "test",
                    r"""(?:describe|context|it|scenario|test)[ (]+(?P<n>"[^"\n]*"|'[^'\n]*')""",
                ),
                ("rule", r"(?:task|namespace)[ (]+:?(?P<n>[\w:]+)"),
            ),
        },
        flat=words("body_statement block_body"),
        peek=words("begin if unless begin_block then else do_block call"),
        tail=words("end"),
        owner=re.compile(r"::|\."),
        ignore=words("self"),
    ),
    "php": Grammar(
        parser="php",
        defs={
            **each("class", "class_declaration"),
            **each("interface", "interface_declaration"),
            **each("trait", "trait_declaration"),
            **each("enum", "enum_declaration"),
            **each("function", "function_definition"),
            **each("method", "method_declaration"),
            **each("module", "namespace_definition"),
            "property_declaration": Def("variable", "@property_element/@variable_name/@name"),
            "const_declaration": Def("variable", "@const_element/@name"),
        },
        flat=words("declaration_list compound_statement enum_declaration_list program"),
        peek=words("if_statement"),
        prefix=words("attribute_list"),
    ),
    "lua": Grammar(
        parser="lua",
        defs={
            "function_declaration": Def("function"),
            "variable_declaration": Heads(
                ("function", r"local\s+(?P<n>\w+)\s*=\s*function\b"),
                ("variable", r"local\s+(?P<n>\w+)"),
            ),
            "assignment_statement": Heads(
                ("function", r"(?P<n>[\w.:]+)\s*=\s*function\b"),
                ("variable", r"(?P<n>[\w.:]+)\s*="),
            ),
            "field": Heads(("function", r"(?P<n>\w+)\s*=\s*function\b")),
        },
        flat=words("block table_constructor"),
        peek=words("if_statement do_statement"),
        owner=re.compile(r"[.:]"),
    ),
    "luau": Grammar(
        parser="luau",
        defs={"function_declaration": Def("function"), "type_definition": Def("type")},
        flat=words("block table_constructor"),
        owner=re.compile(r"[.:]"),
    ),
    "perl": Grammar(
        parser="perl",
        defs={
            "subroutine_declaration_statement": Def("function"),
            "method_declaration_statement": Def("method"),
            "package_statement": Def("module"),
            "class_statement": Def("class"),
            "expression_statement": Heads(
                ("variable", r"(?:our|my)\s+[$@%](?P<n>[\w:]+)\s*="),
                ("variable", r"use\s+constant\s+(?P<n>\w+)"),
            ),
        },
        flat=words("block"),
        peek=words("conditional_statement phaser_statement"),
        prefix=words("attrlist"),
        owner=re.compile(r"::"),
    ),
    "bash": Grammar(
        parser="bash",
        defs={
            "function_definition": Def("function"),
            "variable_assignment": Def("variable"),
            "declaration_command": Heads(
                ("variable", r"(?:export|readonly|declare|local|typeset)\s+(?:-\w+\s+)*(?P<n>\w+)=")
            ),
        },
        flat=words("compound_statement do_group"),
        peek=words("if_statement case_statement case_item else_clause list"),
    ),
    "fish": Grammar(
        parser="fish",
        defs={"function_definition": Def("function")},
        peek=words("if_statement switch_statement"),
    ),
    "powershell": Grammar(
        parser="powershell",
        defs={
            "function_statement": Def("function", "@function_name"),
            "class_statement": Def("class", "@simple_name"),
            "enum_statement": Def("enum", "@simple_name"),
            "class_method_definition": Def("method", "@simple_name"),
            "class_property_definition": Heads(
                ("variable", r"(?:(?:static|hidden)\s+)*(?:\[[^\n]*\]\s*)?\$(?P<n>\w+)")
            ),
        },
        flat=words("statement_list script_block script_block_body statement_block"),
        peek=words("if_statement"),
    ),
    "r": Grammar(
        parser="r",
        defs={
            "binary_operator": Heads(
                ("function", r"(?P<n>[\w.`\"%<\-\[]+?)\s*(?:<<?-|=)\s*(?:function\b|\\\()"),
                ("variable", r"(?P<n>[\w.`]+)\s*(?:<<?-|=)"),
            ),
            "call": Heads(
                (
                    "class",
                    r"""(?:methods::)?(?:setClass|setRefClass|R6Class|setGeneric|setMethod)\(\s*"""
                    r"""["'](?P<n>[^"'\n]+)["']""",
                ),
                ("test", r"""(?:test_that|describe|it)\(\s*(?P<n>"[^"\n]*"|'[^'\n]*')"""),
            ),
        },
        flat=words("braced_expression"),
        peek=words("if_statement"),
    ),
    "julia": Grammar(
        parser="julia",
        defs={
            "module_definition": Def("module"),
            "function_definition": Heads(
                ("function", r"function\s+(?P<n>[^\s({;]+(?:\{[^}]*\})?(?=\s*[({;\n]|\s+end|$))"),
                ("function", r"function\s*\(?(?P<n>[\w.!]+)"),
            ),
            "macro_definition": Heads(("macro", r"macro\s+(?P<n>[\w!]+)")),
            "struct_definition": Heads(("struct", r"(?:mutable\s+)?struct\s+(?P<n>\w+)")),
            "abstract_definition": Heads(("type", r"abstract\s+type\s+(?P<n>\w+)")),
            "assignment": Heads(
                ("function", r"(?P<n>[\w.!]+)(?:\{[^}]*\})?\([^=\n]*?\)[^=\n]*=(?!=)"),
                ("variable", r"(?P<n>\w+)\s*="),
            ),
            "const_statement": Heads(("variable", r"const\s+(?P<n>\w+)")),
        },
        flat=words("block"),
        peek=words("if_statement macrocall_expression macro_argument_list"),
        prefix=words("string_literal prefixed_string_literal"),
        owner=re.compile(r"\."),
    ),
    "vim": Grammar(
        parser="vim",
        defs={
            "function_definition": Heads(
                ("function", r"\s*fu\w*!?\s+(?:<SID>|[sgbwtl]:)?(?P<n>[\w#.:{}]+)")
            ),
            "command_statement": Heads(
                ("macro", r"\s*com\w*!?\s+(?:-\S+\s+)*(?P<n>\w+)"),
            ),
            "let_statement": Heads(("variable", r"\s*let\s+(?:[sgbwtl]:)?(?P<n>[\w#]+)")),
        },
        flat=words("body"),
        peek=words("if_statement"),
    ),
    "tcl": Grammar(
        parser="tcl",
        defs={
            "procedure": Def("function"),
            "namespace": Heads(("module", r"namespace\s+eval\s+(?P<n>\S+)")),
            "command": Heads(
                ("class", r"(?:oo::class\s+create|itcl::class|class)\s+(?P<n>[\w:]+)"),
                ("method", r"(?:method|constructor)\s+(?P<n>[\w:]+)"),
            ),
        },
        flat=words("braced_word word_list"),
        owner=re.compile(r"::"),
    ),
    "groovy": Grammar(
        parser="groovy",
        defs={
            "command": Heads(
                (
                    "class",
                    r"(?:(?:public|private|protected|abstract|final|static)\s+)*class\s+(?P<n>\w+)",
                ),
                ("interface", r"(?:public\s+)?@?interface\s+(?P<n>\w+)"),
                ("trait", r"trait\s+(?P<n>\w+)"),
                ("enum", r"(?:public\s+)?enum\s+(?P<n>\w+)"),
                (
                    "function",
                    r"(?!return\b|new\b|throw\b|else\b|case\b|assert\b|in\b)"
                    r"(?:[\w.<>\[\],?@]+\s+)+(?P<n>\w+)\s*\([^\n]*\)\s*(?:throws\s+[\w., ]+)?\{",
                ),
                (
                    "key",
                    r"(?P<n>pipeline|stages|stage\s*\([^)\n]*\)|dependencies|plugins|android)\s*\{",
                ),
            ),
        },
        flat=words("block"),
        signals={"command": re.compile(rb"@\w+(?:\([^)]*\))?\s*$")},
    ),
}
