"""Names, extensions and first bytes, and the language they tell."""

import pytest

from git_skillmesh.chunking import LANGUAGES, language_of

BY_PATH = {
    "a/b.py": "python",
    "types.pyi": "python",
    "x.JS": "javascript",
    "x.mjs": "javascript",
    "x.d.ts": "typescript",
    "x.cts": "typescript",
    "lib/x.rb": "ruby",
    "Rakefile": "ruby",
    "Gemfile": "ruby",
    "Makefile": "make",
    "makefile.am": "make",
    "rules.mk": "make",
    "Dockerfile": "dockerfile",
    "docker/Dockerfile.dev": "dockerfile",
    "app.dockerfile": "dockerfile",
    "Containerfile": "dockerfile",
    "CMakeLists.txt": "cmake",
    "Jenkinsfile": "groovy",
    "build.gradle": "groovy",
    "build.gradle.kts": "kotlin",
    "BUILD.bazel": "starlark",
    "WORKSPACE": "starlark",
    "a.h": "c",
    "a.hpp": "cpp",
    "a.cu": "cuda",
    "main.tf": "hcl",
    "x.yml": "yaml",
    "setup.cfg": "ini",
    ".editorconfig": "ini",
    ".gitmodules": "ini",
    ".bashrc": "bash",
    "x.ipynb": "json",
    "README.md": "markdown",
    "docs/x.mdx": "markdown",
    "README": "text",
    "LICENSE": "text",
    "notes.txt": "text",
    "x.unknown": "text",
    ".gitignore": "text",
    "": "text",
    "dir/": "text",
    "weird\n.py": "python",
}

BY_HEAD = [
    ("run", b"#!/usr/bin/env python3\n", "python"),
    ("run", b"#!/usr/bin/python3.11 -u\n", "python"),
    ("run", b"#!/usr/bin/env -S node --harmony\n", "javascript"),
    ("run", b"#!/usr/bin/env -S VAR=1 ruby\n", "ruby"),
    ("run", b"#!/bin/sh -e\n", "bash"),
    ("run", b"#! /bin/bash\n", "bash"),
    ("run", b"#!/usr/bin/env\n", "text"),
    ("run", b"#!\n", "text"),
    ("run", b"#!/opt/thing\n", "text"),
    ("hooks/pre-commit", b"#!/usr/bin/perl -w\n", "perl"),
    ("a.h", b"#pragma once\nnamespace a {\nclass B;\n}\n", "cpp"),
    ("a.h", b"#ifndef A_H\nint f(void);\n#endif\n", "c"),
    ("a.h", b"#import <UIKit/UIKit.h>\n@interface A\n@end\n", "objc"),
    ("a.m", b'#import "A.h"\n@implementation A\n@end\n', "objc"),
    ("a.m", b"function y = f(x)\n  y = x;\nend\n", "matlab"),
    ("a.v", b"module a(input b);\nendmodule\n", "verilog"),
    ("a.v", b"Theorem t : True.\n", "text"),
    ("a.cls", b"\\ProvidesClass{a}\n", "latex"),
    ("a.cls", b"public class A {}\n", "apex"),
    ("a.pp", b"class ntp {\n}\n", "puppet"),
    ("a.pp", b"program a;\nbegin\nend.\n", "pascal"),
    ("a.inc", b"<?php\n", "php"),
    ("a.inc", b"some text\n", "text"),
    ("t/a.t", b"use Test::More;\n", "perl"),
    ("a.conf", b"[main]\nx = 1\n", "ini"),
    ("nginx.conf", b"server {\n}\n", "text"),
]


@pytest.mark.parametrize("path", BY_PATH)
def test_language_by_path(path: str) -> None:
    assert language_of(path) == BY_PATH[path]


@pytest.mark.parametrize(("path", "head", "language"), BY_HEAD)
def test_language_by_first_bytes(path: str, head: bytes, language: str) -> None:
    assert language_of(path, head) == language


def test_every_answer_is_a_known_language() -> None:
    answers = {*BY_PATH.values(), *(language for _, _, language in BY_HEAD)}
    assert answers <= LANGUAGES
