"""Functional languages: Haskell, Elixir, Erlang, OCaml, Lisps, Nix, Elm, F#, Gleam, PureScript."""

import re

from git_skillmesh.chunking.grammar import Def, Grammar, Heads, each, words

_SYMBOL = r"(?P<n>[^\s()\[\]{}\"';]+)"
_META = r"(?:\^\S+\s+|\^\{[^}]*\}\s+)*"

_OCAML_DEFS: dict[str, Def | Heads] = {
    "value_definition": Def("variable", "@let_binding/pattern|@let_binding/@value_name"),
    "value_specification": Def("function", "@value_name|@parenthesized_operator"),
    "external": Def("function", "@value_name"),
    "type_definition": Def("type", "@type_binding/name"),
    "exception_definition": Def("type", "@constructor_declaration/@constructor_name"),
    "module_definition": Def("module", "@module_binding/@module_name"),
    "module_type_definition": Def("interface", "@module_type_name"),
    "class_definition": Def("class", "@class_binding/@class_name"),
    "method_definition": Def("method", "@method_name"),
}


def _ocaml(parser: str) -> Grammar:
    return Grammar(
        parser=parser,
        defs={
            **_OCAML_DEFS,
            "value_definition": Heads(
                (
                    "function",
                    r"let\s+(?:rec\s+)?(?P<n>[\w']+|\([^)]*\))"
                    r"(?:\s+[\w~?(]|\(|\s*=\s*(?:fun|function)\b)",
                ),
                ("variable", r"let\s+(?:rec\s+)?(?P<n>[\w']+)"),
            ),
        },
        flat=words("structure signature module_binding object_expression class_binding"),
        prefix=words("attribute"),
    )


_CLOJURE = Heads(
    ("module", rf"\((?:ns|in-ns)\s+{_META}'?{_SYMBOL}"),
    ("macro", rf"\(defmacro-?\s+{_META}{_SYMBOL}"),
    ("interface", rf"\((?:defprotocol|definterface)\s+{_META}{_SYMBOL}"),
    ("struct", rf"\((?:defrecord|deftype|defstruct)\s+{_META}{_SYMBOL}"),
    ("test", rf"\(deftest-?\s+{_META}{_SYMBOL}"),
    ("variable", rf"\((?:def|defonce)\s+{_META}{_SYMBOL}"),
    ("impl", rf"\(extend-(?:type|protocol)\s+{_SYMBOL}"),
    ("function", rf"\((?:[\w.-]+/)?def[\w-]*\s+{_META}{_SYMBOL}"),
)

_LISP = Heads(
    ("macro", rf"\((?i:defmacro|define-compiler-macro)\s+{_SYMBOL}"),
    ("module", rf"\((?i:defpackage|in-package|uiop:define-package)\s+[#:'\"]*{_SYMBOL}"),
    ("class", rf"\((?i:defclass|define-condition)\s+{_SYMBOL}"),
    ("struct", rf"\((?i:defstruct|deftype)\s+\(?{_SYMBOL}"),
    ("variable", rf"\((?i:defvar|defparameter|defconstant)\s+{_SYMBOL}"),
    ("function", rf"\((?i:def[\w-]*)\s+\(?(?:setf\s+)?{_SYMBOL}"),
)

_SCHEME = Heads(
    ("macro", rf"\((?:define-syntax|define-syntax-rule|define-macro)\s+\(?{_SYMBOL}"),
    ("struct", rf"\((?:define-record-type|struct|define-struct)\s+\(?{_SYMBOL}"),
    ("module", rf"\((?:define-library|library|define-module|module)\s+\(?{_SYMBOL}"),
    ("function", rf"\(define[\w*/-]*\s+\(+{_SYMBOL}"),
    ("variable", rf"\(define[\w*/-]*\s+{_SYMBOL}"),
)

_ELISP = Heads(
    ("struct", rf"\((?:cl-)?defstruct\s+\(?{_SYMBOL}"),
    ("variable", rf"\(def(?:var|custom|const|face|group|var-local)\s+{_SYMBOL}"),
    ("macro", rf"\((?:cl-)?defmacro\s+{_SYMBOL}"),
    ("class", rf"\(defclass\s+{_SYMBOL}"),
    ("test", rf"\(ert-deftest\s+{_SYMBOL}"),
    ("function", rf"\((?:cl-|ert-)?def[\w-]*\s+{_SYMBOL}"),
)

_ELM = Grammar(
    parser="elm",
    defs={
        "module_declaration": Def("module"),
        "type_alias_declaration": Def("type"),
        "type_declaration": Def("type"),
        "type_annotation": Def("function"),
        "port_annotation": Def("function"),
        "value_declaration": Def("function", "functionDeclarationLeft/@lower_case_identifier"),
    },
    join=words("type_annotation value_declaration"),
)

_HASKELL_DEFS: dict[str, Def | Heads] = {
    **each("type", "data_type newtype type_synomym type_family data_family kind_signature"),
    **each("interface", "class"),
    **each("function", "function signature bind", "name|names"),
    **each("impl", "instance"),
    "top_splice": Heads(("macro", r"(?P<n>[\w.]+)")),
}

GRAMMARS: dict[str, Grammar] = {
    "haskell": Grammar(
        parser="haskell",
        defs=_HASKELL_DEFS,
        flat=words("imports declarations class_declarations instance_declarations"),
        join=words("function signature bind"),
    ),
    "purescript": Grammar(
        parser="purescript",
        defs={
            **each("type", "data newtype type_alias"),
            **each("interface", "class_declaration"),
            **each("function", "function signature", "name"),
            **each("impl", "class_instance"),
        },
        join=words("function signature"),
    ),
    "elixir": Grammar(
        parser="elixir",
        defs={
            "call": Heads(
                ("module", r"(?:defmodule|defprotocol)\s+(?P<n>[\w.]+)"),
                ("impl", r"defimpl\s+(?P<n>[\w.]+)"),
                ("macro", r"(?:defmacrop?|defguardp?)\s+(?P<n>\w+[?!]?)"),
                ("function", r"(?:defp?|defdelegate|defn|defnp)\s+(?P<n>\w+[?!]?)"),
                ("test", r"(?:test|describe)\s+(?P<n>\"[^\"\n]*\")"),
            )
        },
        flat=words("do_block"),
        signals={
            "unary_operator": re.compile(
                rb"@(?:doc|spec|impl|deprecated|since|tag|decorate|typedoc)\b"
            )
        },
        docs=words("unary_operator"),
        join=words("call"),
    ),
    "erlang": Grammar(
        parser="erlang",
        defs={
            "module_attribute": Def("module"),
            "record_decl": Def("struct"),
            "pp_define": Heads(("macro", r"-define\(\s*(?P<n>\w+)")),
            "type_alias": Heads(("type", r"-type\s+(?P<n>[\w']+)")),
            "opaque": Heads(("type", r"-opaque\s+(?P<n>[\w']+)")),
            "fun_decl": Def("function", "clause/name"),
            "spec": Heads(("function", r"-spec\s+(?P<n>[\w']+)")),
        },
        join=words("fun_decl spec"),
    ),
    "ocaml": _ocaml("ocaml"),
    "ocaml_interface": _ocaml("ocaml_interface"),
    "clojure": Grammar(parser="clojure", defs={"list_lit": _CLOJURE}, docs=words("str_lit")),
    "commonlisp": Grammar(
        parser="commonlisp",
        defs={"list_lit": _LISP},
        flat=words("defun"),
        docs=words("str_lit"),
    ),
    "elisp": Grammar(
        parser="elisp",
        defs=dict.fromkeys(
            ("list", "special_form", "function_definition", "macro_definition"), _ELISP
        ),
        docs=words("string"),
    ),
    "scheme": Grammar(parser="scheme", defs={"list": _SCHEME}),
    "racket": Grammar(parser="racket", defs={"list": _SCHEME}),
    "nix": Grammar(
        parser="nix",
        defs={"binding": Def("variable", "attrpath")},
        flat=words(
            "function_expression let_expression binding_set attrset_expression"
            " rec_attrset_expression parenthesized_expression apply_expression"
        ),
    ),
    "elm": _ELM,
    "fsharp": Grammar(
        parser="fsharp",
        defs={
            "type_definition": Heads(
                (
                    "type",
                    r"(?:\[<[^\n]*>\]\s*)?(?:type|and)\s+(?:private\s+|internal\s+)?(?P<n>[\w`]+)",
                )
            ),
            "declaration_expression": Heads(
                (
                    "function",
                    r"let\s+(?:rec\s+|inline\s+|private\s+|mutable\s+)*(?P<n>[\w']+|``[^`]+``)"
                    r"\s+[^=\s:]",
                ),
                ("variable", r"let\s+(?:rec\s+|inline\s+|private\s+|mutable\s+)*(?P<n>[\w']+)"),
            ),
            "module_defn": Heads(("module", r"module\s+(?:private\s+|rec\s+)?(?P<n>[\w.]+)")),
            "member_defn": Heads(
                ("method", r"[^=]*?member\s+(?:private\s+|inline\s+)?(?:\w+\.)?(?P<n>\w+)")
            ),
        },
        flat=words("named_module namespace type_extension_elements"),
        prefix=words("attributes"),
    ),
    "gleam": Grammar(
        parser="gleam",
        defs={
            **each("function", "function external_function"),
            **each("type", "type_definition type_alias", "@type_name/name|@type_name"),
            **each("variable", "constant"),
        },
        flat=words("block"),
        prefix=words("attribute"),
    ),
}
