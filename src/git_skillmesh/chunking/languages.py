"""Which language a file is in: path and first bytes in, a name out."""

import re

_EXTENSIONS = {
    "python": "py pyi pyw pyx pxd",
    "starlark": "bzl star bazel",
    "ruby": "rb rake gemspec ru podspec jbuilder",
    "php": "php phtml php5 php7 php8 inc",
    "lua": "lua rockspec",
    "luau": "luau",
    "perl": "pl pm t psgi",
    "bash": "sh bash zsh ksh ebuild eclass bats",
    "fish": "fish",
    "powershell": "ps1 psm1 psd1",
    "r": "r",
    "julia": "jl",
    "vim": "vim vimrc",
    "tcl": "tcl tm itcl",
    "groovy": "groovy gradle gvy",
    "javascript": "js mjs cjs es6",
    "jsx": "jsx",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "vue": "vue",
    "svelte": "svelte",
    "astro": "astro",
    "html": "html htm xhtml",
    "css": "css",
    "scss": "scss",
    "graphql": "graphql gql graphqls",
    "solidity": "sol",
    "c": "c h",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp tpp inl ino",
    "cuda": "cu cuh",
    "glsl": "glsl vert frag geom comp",
    "hlsl": "hlsl fx",
    "objc": "m mm",
    "go": "go",
    "rust": "rs",
    "zig": "zig",
    "odin": "odin",
    "fortran": "f90 f95 f03 f08 f for ftn",
    "ada": "adb ads",
    "pascal": "pas pp dpr lpr",
    "verilog": "v sv vh svh",
    "vhdl": "vhd vhdl",
    "java": "java",
    "kotlin": "kt kts",
    "scala": "scala sc sbt",
    "csharp": "cs csx",
    "swift": "swift",
    "dart": "dart",
    "haxe": "hx",
    "actionscript": "as",
    "gdscript": "gd",
    "apex": "cls trigger",
    "matlab": "mlx",
    "haskell": "hs",
    "purescript": "purs",
    "elixir": "ex exs",
    "erlang": "erl hrl escript",
    "ocaml": "ml",
    "ocaml_interface": "mli",
    "clojure": "clj cljs cljc edn bb",
    "commonlisp": "lisp lsp cl asd",
    "elisp": "el",
    "scheme": "scm ss sld",
    "racket": "rkt",
    "nix": "nix",
    "elm": "elm",
    "fsharp": "fs fsx fsi",
    "gleam": "gleam",
    "sql": "sql ddl psql pgsql",
    "dockerfile": "dockerfile containerfile",
    "hcl": "hcl tf tfvars nomad",
    "proto": "proto",
    "thrift": "thrift",
    "prisma": "prisma",
    "make": "mk mak make",
    "cmake": "cmake",
    "puppet": "epp",
    "capnp": "capnp",
    "smithy": "smithy",
    "rego": "rego",
    "json": "json jsonc json5 geojson webmanifest avsc ipynb jsonl ndjson",
    "yaml": "yaml yml",
    "toml": "toml",
    "ini": "ini cfg conf desktop service timer socket editorconfig",
    "properties": "properties",
    "xml": "xml xsd xsl xslt wsdl csproj vbproj fsproj props targets plist pom xaml rss atom",
    "latex": "tex sty ltx",
    "markdown": "md markdown mdx mdown mkd qmd rmd",
    "rst": "rst",
}

_NAMES = {
    "dockerfile": "dockerfile containerfile",
    "make": "makefile gnumakefile bsdmakefile makefile.am makefile.in kbuild",
    "cmake": "cmakelists.txt",
    "ruby": "rakefile gemfile guardfile podfile vagrantfile brewfile fastfile capfile thorfile",
    "groovy": "jenkinsfile",
    "starlark": "build workspace build.bazel workspace.bazel module.bazel tiltfile buck",
    "python": "sconstruct sconscript wscript snakefile",
    "bash": ".bashrc .bash_profile .profile .zshrc .zprofile .zshenv .envrc pkgbuild apkbuild",
    "vim": ".vimrc",
    "elisp": ".emacs cask",
    "r": ".rprofile",
    "json": ".babelrc .eslintrc .prettierrc .jshintrc composer.lock pipfile.lock flake.lock",
    "toml": "pipfile cargo.lock poetry.lock uv.lock",
    "yaml": ".clang-format .clang-tidy",
    "ini": ".gitconfig .gitmodules .editorconfig .flake8 .pylintrc .npmrc .coveragerc",
    "properties": "gradle.properties",
    "markdown": "readme.markdown",
    "rst": "readme.rst",
}

_INTERPRETERS = {
    "python": "python python2 python3 pypy pypy3 uv",
    "bash": "sh bash zsh ksh dash ash bats",
    "fish": "fish",
    "ruby": "ruby jruby rake",
    "perl": "perl",
    "php": "php",
    "lua": "lua luajit",
    "javascript": "node nodejs deno bun",
    "typescript": "ts-node tsx",
    "r": "Rscript",
    "julia": "julia",
    "tcl": "tclsh wish expect",
    "groovy": "groovy",
    "elixir": "elixir iex",
    "erlang": "escript",
    "haskell": "runhaskell runghc stack",
    "ocaml": "ocaml",
    "clojure": "bb clojure",
    "scheme": "guile",
    "racket": "racket",
    "powershell": "pwsh powershell",
    "make": "make",
    "swift": "swift",
    "kotlin": "kotlin",
    "scala": "scala",
    "nix": "nix-shell",
}


def _inverted(table: dict[str, str]) -> dict[str, str]:
    return {word: language for language, words in table.items() for word in words.split()}


_BY_EXTENSION = _inverted(_EXTENSIONS)
_BY_NAME = _inverted(_NAMES)
_BY_INTERPRETER = _inverted(_INTERPRETERS)

LANGUAGES = frozenset({*_EXTENSIONS, *_NAMES, *_INTERPRETERS, "text"})
"""Every name that `language_of` can give."""


# Dialects that have a grammar of their own and are meant by the name of the language.
_DIALECTS = {"typescript": ("tsx",), "javascript": ("jsx",)}
_OTHER_NAMES = {
    "c#": "csharp", "f#": "fsharp", "golang": "go", "shell": "bash", "docker": "dockerfile",
    "objective-c": "objc", "objectivec": "objc", "protobuf": "proto", "node": "javascript",
}  # fmt: skip


def languages_named(name: str) -> tuple[str, ...]:
    """The languages that people mean by a name or an extension; none for a name that is unknown.

    `ts`, `TypeScript` and `.ts` are typescript and its dialect tsx, `tsx` is tsx alone.
    """
    lower = name.strip().lower().removeprefix(".")
    language = _OTHER_NAMES.get(lower, lower)
    if language not in LANGUAGES:
        language = _BY_EXTENSION.get(lower, "")
    return (language, *_DIALECTS.get(language, ())) if language in LANGUAGES else ()


def extension_of(language: str) -> str:
    """Return the usual extension of a language's files, without the dot; "txt" of one without."""
    return _EXTENSIONS.get(language, "txt").partition(" ")[0]


# Patterns are compiled by the first file that needs them, not by the import.
_SHEBANG = rb"#![ \t]*([^\n]*)"
_CPP = rb"(?m)^\s*(?:class\s+\w+|namespace\s+\w+|template\s*<|using\s+\w+|public:|private:)"
_OBJC = rb"(?m)^\s*(?:@interface|@implementation|@protocol|@import|@class|#import)\b"
_MATLAB = rb"(?m)^\s*(?:function\b|classdef\b|%|end\s*$)"
_PUPPET = rb"(?m)^\s*(?:class|define|node|include)\b[^;\n]*\{?\s*$"
_VERILOG = rb"\b(?:module|wire|reg|assign|endmodule|`\w+)\b"
_TABLE = rb"(?m)^\s*\[[^\]\n]+\]\s*$"
_HEAD = 16_384


def language_of(path: str, head: bytes = b"") -> str:
    """The language of a file by its name, its extension, then the shebang in its first bytes.

    A file that none of them tells is "text". `head` (a few kilobytes) also settles extensions
    that several languages share: .h, .m, .v, .cls, .conf and a few more.
    """
    head = head[:_HEAD]
    lower = path.rpartition("/")[2].lower()
    language = _BY_NAME.get(lower)
    if language is None:
        stem, dot, extension = lower.rpartition(".")
        language = _BY_EXTENSION.get(extension) if dot and (stem or extension) else None
    if language is None:
        base = lower.partition(".")[0]
        if base in ("dockerfile", "containerfile", "makefile", "jenkinsfile"):
            language = _BY_NAME[base]
    if language is None:
        return _by_shebang(head) or "text"
    return _settle(language, lower, head)


def _by_shebang(head: bytes) -> str | None:
    match = re.match(_SHEBANG, head)
    words = match[1].decode("utf-8", "replace").split() if match else []
    if words and words[0].rpartition("/")[2] == "env":
        words = [word for word in words[1:] if word[0] != "-" and "=" not in word]
    if not words:
        return None
    interpreter = words[0].rpartition("/")[2]
    bare = interpreter.rstrip("0123456789.")
    return _BY_INTERPRETER.get(interpreter) or _BY_INTERPRETER.get(bare)


def _settle(language: str, name: str, head: bytes) -> str:
    """The right one where one extension serves several languages."""
    if name.endswith(".h") and head:
        if re.search(_OBJC, head):
            return "objc"
        return "cpp" if re.search(_CPP, head) else "c"
    if name.endswith(".m") and head and not re.search(_OBJC, head):
        return "matlab" if re.search(_MATLAB, head) and b"#i" not in head else "objc"
    if name.endswith((".cls", ".inc", ".t", ".v", ".pp", ".conf", ".trigger")) and head:
        return _unsure(language, name, head)
    return language


def _unsure(language: str, name: str, head: bytes) -> str:
    if name.endswith(".cls") and (b"\\ProvidesClass" in head or b"\\LoadClass" in head):
        return "latex"
    if name.endswith(".inc") and b"<?" not in head:
        return "text"
    if name.endswith(".t") and not re.search(rb"\b(?:use|my|ok)\b", head):
        return "text"
    if name.endswith(".v") and not re.search(_VERILOG, head):
        return "text"
    if name.endswith(".pp") and re.search(_PUPPET, head):
        return "puppet"
    if name.endswith(".conf") and not re.search(_TABLE, head):
        return "text"
    return language
