"""Application languages: Java, Kotlin, Scala, C#, Swift, Dart, Haxe and their like."""

import re

from git_skillmesh.chunking.grammar import Def, Grammar, Heads, each, words

GRAMMARS: dict[str, Grammar] = {
    "java": Grammar(
        parser="java",
        defs={
            **each("class", "class_declaration record_declaration"),
            **each("interface", "interface_declaration annotation_type_declaration"),
            **each("enum", "enum_declaration"),
            **each(
                "method",
                "method_declaration constructor_declaration compact_constructor_declaration",
            ),
            "field_declaration": Def("variable", "declarator/name"),
            "constant_declaration": Def("variable", "declarator/name"),
        },
        flat=words(
            "class_body interface_body enum_body enum_body_declarations annotation_type_body block"
            " constructor_body"
        ),
        prefix=words("marker_annotation annotation modifiers"),
    ),
    "kotlin": Grammar(
        parser="kotlin",
        defs={
            "class_declaration": Def(
                "class", "@type_identifier", {"interface": "interface", "enum": "enum"}
            ),
            "object_declaration": Def("class", "@type_identifier"),
            "companion_object": Heads(
                ("class", r"(?:\w+\s+)*?companion\s+object(?:\s+(?P<n>\w+))?")
            ),
            "function_declaration": Heads(
                (
                    "function",
                    r"[^({=]*?\bfun\s+(?:<[^>]*>\s*)?(?:(?P<o>[\w.]+)(?:<[^(]*>)?\??\.)?(?P<n>\w+|`[^`\n]+`)\s*\(",
                ),
                ("function", r".*?\bfun\s+(?:<[^>]*>\s*)?(?P<n>\w+|`[^`\n]+`)\s*\("),
            ),
            "secondary_constructor": Heads(("method", r"(?:\w+\s+)*?(?P<n>constructor)")),
            "property_declaration": Def("variable", "@variable_declaration/@simple_identifier"),
            "type_alias": Def("type", "@type_identifier"),
        },
        flat=words("class_body enum_class_body function_body statements"),
        prefix=words("file_annotation annotation"),
    ),
    "scala": Grammar(
        parser="scala",
        defs={
            **each("class", "class_definition object_definition package_object"),
            **each("trait", "trait_definition"),
            **each("enum", "enum_definition"),
            **each("function", "function_definition function_declaration"),
            **each("type", "type_definition given_definition"),
            **each("variable", "val_definition var_definition val_declaration", "pattern|name"),
            "extension_definition": Heads(
                ("impl", r"extension\s*(?:\[[^\]]*\]\s*)?\(\s*\w+\s*:\s*(?P<n>\w+)")
            ),
        },
        flat=words("template_body enum_body block indented_block package_clause"),
        prefix=words("annotation"),
    ),
    "csharp": Grammar(
        parser="csharp",
        defs={
            **each("module", "namespace_declaration file_scoped_namespace_declaration"),
            **each("class", "class_declaration record_declaration"),
            **each("struct", "struct_declaration record_struct_declaration"),
            **each("interface", "interface_declaration"),
            **each("enum", "enum_declaration"),
            **each("type", "delegate_declaration"),
            **each("method", "method_declaration constructor_declaration destructor_declaration"),
            **each("function", "local_function_statement"),
            **each("variable", "property_declaration event_declaration"),
            "operator_declaration": Heads(("method", r"[^(]*?(?P<n>operator\s*[^\s(]+)")),
            "indexer_declaration": Heads(("method", r"[^\[]*?(?P<n>this)\s*\[")),
            "field_declaration": Def("variable", "@variable_declaration/@variable_declarator/name"),
        },
        flat=words("declaration_list block enum_member_declaration_list global_statement"),
        peek=words("preproc_if preproc_region"),
        prefix=words("attribute_list"),
    ),
    "swift": Grammar(
        parser="swift",
        defs={
            "class_declaration": Def(
                "class",
                "name",
                {"struct": "struct", "enum": "enum", "extension": "impl"},
            ),
            **each("interface", "protocol_declaration"),
            **each("function", "function_declaration protocol_function_declaration"),
            "init_declaration": Heads(("method", r"[^({]*?(?P<n>init)\b")),
            "deinit_declaration": Heads(("method", r"[^({]*?(?P<n>deinit)\b")),
            "subscript_declaration": Heads(("method", r"[^({]*?(?P<n>subscript)\b")),
            **each("type", "typealias_declaration"),
            **each("variable", "property_declaration"),
            **each("macro", "macro_declaration"),
        },
        flat=words("class_body protocol_body enum_class_body function_body statements"),
        peek=words("if_statement"),
        prefix=words("attribute"),
    ),
    "dart": Grammar(
        parser="dart",
        defs={
            **each("class", "class_definition extension_type_declaration"),
            **each("enum", "enum_declaration"),
            **each("function", "function_signature getter_signature setter_signature"),
            "mixin_declaration": Def("trait", "@identifier"),
            "extension_declaration": Def("impl", "name"),
            "type_alias": Def("type", "@type_identifier"),
            "constructor_signature": Heads(("method", r"(?:const\s+)?(?:\w+\.)?(?P<n>\w+)")),
            "factory_constructor_signature": Heads(
                ("method", r"(?:const\s+)?factory\s+(?:\w+\.)?(?P<n>\w+)")
            ),
            "redirecting_factory_constructor_signature": Heads(
                ("method", r"(?:const\s+)?factory\s+(?:\w+\.)?(?P<n>\w+)")
            ),
            "static_final_declaration": Def("variable", "@identifier"),
            "initialized_identifier": Def("variable", "@identifier"),
        },
        flat=words(
            "class_body extension_body enum_body method_signature declaration block"
            " static_final_declaration_list initialized_identifier_list"
        ),
        prefix=words("annotation marker_annotation"),
        tail=words("function_body initializers"),
    ),
    "haxe": Grammar(
        parser="haxe",
        defs={
            **each("class", "class_declaration"),
            **each("interface", "interface_declaration"),
            **each("function", "function_declaration"),
            **each("type", "typedef_declaration"),
        },
        flat=words("block"),
        prefix=words("metadata"),
    ),
    "actionscript": Grammar(
        parser="actionscript",
        defs={
            **each("class", "class_declaration"),
            **each("interface", "interface_declaration"),
            **each("function", "function_declaration method_definition"),
        },
        flat=words("class_body statement_block package_declaration"),
    ),
    "gdscript": Grammar(
        parser="gdscript",
        defs={
            **each("class", "class_definition"),
            **each("function", "function_definition"),
            **each("enum", "enum_definition"),
            **each("variable", "variable_statement const_statement export_variable_statement"),
            "class_name_statement": Heads(("class", r"class_name\s+(?P<n>\w+)")),
            "signal_statement": Heads(("type", r"signal\s+(?P<n>\w+)")),
        },
        flat=words("class_body body"),
        prefix=words("annotations annotation"),
    ),
    "apex": Grammar(
        parser="apex",
        defs={
            **each("class", "class_declaration"),
            **each("interface", "interface_declaration"),
            **each("enum", "enum_declaration"),
            **each("method", "method_declaration constructor_declaration"),
            **each("function", "trigger_declaration"),
        },
        flat=words("class_body interface_body block"),
        prefix=words("annotation"),
    ),
    "matlab": Grammar(
        parser="matlab",
        defs={
            "function_definition": Def("function"),
            "class_definition": Def("class"),
        },
        flat=words("methods block properties"),
        owner=re.compile(r"\."),
        tail=words("end"),
    ),
}
