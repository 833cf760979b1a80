// Code taken apart for its colours: in, text and the name of its language or file; out, where words of each kind
// stand. One pass without going back, for text of any kind; what is not understood has no colour.

export type Kind = "comment" | "string" | "number" | "keyword" | "type" | "name"
/** Where a token begins and ends, as offsets of its text. */
export type Token = readonly [from: number, to: number, kind: Kind]

interface Language { words: Set<string>; parts: RegExp; anyCase: boolean }

/** More than this has no colours. */
const MOST = 600_000

// What languages look like: comments and strings as patterns. Every repetition ends at a sign that it does not
// contain, or is bounded, so that no text takes longer than its length.
const SLASHES = String.raw`\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)`
const HASH = String.raw`#[^\n]*`
const DASHES = String.raw`--[^\n]*`
const DOUBLE = String.raw`"(?:[^"\\\n]|\\[^])*"?`
const SINGLE = String.raw`'(?:[^'\\\n]|\\[^])*'?`
const BACK = "`(?:[^`\\\\]|\\\\[^])*`?"
const RAW = "`[^`]*`?"
const LETTER = String.raw`'(?:[^'\\\n]|\\[^\n]{1,10})'`
const TRIPLE = String.raw`[rbfuRBFU]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$))`
const REGEX = String.raw`(?<=[(,=:[!&|?]\s?)\/(?![*\/])(?:[^\/\\\n[]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n]){0,99}\]){1,200}\/[a-z]{0,8}`
const MARKUP = String.raw`<!--[^]*?(?:-->|$)`

const C = "break case const continue default do else enum extern for goto if inline register return signed sizeof static struct switch typedef union unsigned void volatile while NULL true false"
const CLASSES = "abstract catch class extends final finally import instanceof interface new package private protected public super this throw throws try var null override"
const SCRIPT = `${C} ${CLASSES} as async await debugger delete export from function get in let of set typeof undefined with yield implements keyof readonly satisfies type declare namespace infer is any never unknown string number boolean`
const SHELL = "if then else elif fi for while until do done case esac in function return local export readonly declare set unset shift exit trap source exec"
const SQL = "select from where and or not in is null as join left right inner outer full cross on using group by having order asc desc limit offset union all distinct insert into values update set delete create alter drop table view index trigger function primary key foreign references unique check default constraint if exists case when then else end begin commit rollback with recursive returning cascade boolean integer bigint text varchar timestamp true false"

// Names and endings of files, how comments look, how strings look, keywords.
const TABLE: [names: string, comments: string, strings: string, words: string][] = [
  ["python py pyi pyw starlark bzl", HASH, `${TRIPLE}|[rbfuRBFU]{0,2}(?:${DOUBLE}|${SINGLE})`, "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield None True False self"],
  ["javascript js mjs cjs jsx typescript ts mts cts tsx vue svelte", SLASHES, `${REGEX}|${DOUBLE}|${SINGLE}|${BACK}`, SCRIPT],
  ["go", SLASHES, `${DOUBLE}|${LETTER}|${RAW}`, "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var nil true false iota any bool byte error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64"],
  ["rust rs", SLASHES, `${DOUBLE}|${LETTER}`, "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub ref return self static struct super trait type unsafe use where while true false bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64"],
  ["c h cpp c++ cc cxx hpp hh hxx cuda cu objc m mm arduino ino glsl", SLASHES, `${DOUBLE}|${LETTER}`, `${C} ${CLASSES} auto bool char class concept constexpr consteval decltype delete double explicit export float friend int long mutable namespace noexcept nullptr operator requires short size_t template typename using virtual`],
  ["java kotlin kt kts scala groovy gradle csharp cs dart swift", SLASHES, `"""[^]*?(?:"""|$)|${DOUBLE}|${SINGLE}`, `${C} ${CLASSES} as async await bool boolean byte char data def double fun func float get guard in init int internal is it lateinit let long match namespace object open operator out protocol record sealed set short string suspend trait using val when where with yield nil self required late extension mixin defer throws some any inout lazy`],
  ["php", `${SLASHES}|${HASH}`, `${DOUBLE}|${SINGLE}`, `${C} ${CLASSES} and array as async echo elseif endforeach endif endwhile fn foreach function global include match namespace or require require_once use xor yield self`],
  ["ruby rb rake gemspec gemfile rakefile crystal cr elixir ex exs", HASH, `${DOUBLE}|${SINGLE}`, "alias and begin break case class def defined do else elsif end ensure extend false for if in include module next nil not or private raise redo require rescue retry return self super then true undef unless until when while yield fn use import defmodule defp with cond quote"],
  ["shell bash sh zsh fish ksh console", String.raw`(?<![^\s;])#[^\n]*`, String.raw`"(?:[^"\\]|\\[^])*"?|'[^']*'?`, SHELL],
  ["dockerfile makefile make mk cmake justfile", HASH, `${DOUBLE}|${SINGLE}`, `${SHELL} FROM RUN CMD COPY ADD ENV ARG WORKDIR ENTRYPOINT EXPOSE USER VOLUME LABEL AS ifeq ifneq ifdef endif include define endef project set`],
  ["sql psql mysql sqlite plsql", String.raw`${DASHES}|\/\*[^]*?(?:\*\/|$)`, `${DOUBLE}|'[^']*'?`, SQL],
  ["json jsonc json5 jsonl", SLASHES, DOUBLE, "true false null"],
  ["yaml yml toml ini cfg conf properties editorconfig", String.raw`(?<![^\s])[#;][^\n]*`, `${TRIPLE}|${DOUBLE}|(?<![^\\s[{,(=])${SINGLE}`, "true false null yes no on off"],
  ["css scss less sass", String.raw`\/\*[^]*?(?:\*\/|$)`, `${DOUBLE}|${SINGLE}`, "important media import supports keyframes from to font-face include mixin extend use if else each for function return not and only screen print"],
  ["html xml svg xhtml htm markup plist xsl", MARKUP, `(?<==)(?:${DOUBLE}|${SINGLE})`, ""],
  ["lua", String.raw`--\[\[[^]*?(?:\]\]|$)|${DASHES}`, `${DOUBLE}|${SINGLE}`, "and break do else elseif end false for function goto if in local nil not or repeat return then true until while"],
  ["haskell hs elm purescript purs", String.raw`\{-[^]*?(?:-\}|$)|${DASHES}`, `${DOUBLE}|${LETTER}`, "case class data default deriving do else forall foreign if import in infix infixl infixr instance let module newtype of then type where qualified as hiding port exposing"],
  ["clojure clj cljs edn lisp cl el scheme scm racket rkt", ";[^\\n]*", DOUBLE, "def defn defmacro defmulti defmethod defrecord defprotocol fn let loop recur if when cond case do ns require import lambda define defun setq quote true false nil"],
  ["ocaml ml mli fsharp fs", String.raw`\(\*[^]*?(?:\*\)|$)|\/\/[^\n]*`, `${DOUBLE}|${LETTER}`, "and as assert begin class constraint do done downto else end exception external for fun function functor if in include inherit initializer lazy let match method module mutable new nonrec object of open or private rec sig struct then to try type val virtual when while with true false"],
  ["erlang erl hrl", "%[^\\n]*", `${DOUBLE}|${SINGLE}`, "after begin case catch end fun if of receive try when module export import"],
  ["zig", SLASHES, `${DOUBLE}|${LETTER}`, "const var fn pub if else while for switch return try catch defer errdefer struct enum union error test comptime inline break continue orelse and or true false null undefined void bool usize u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 import"],
  ["r julia jl perl pl pm nim nix terraform tf hcl graphql gql", HASH, `${DOUBLE}|${SINGLE}`, "function if else elsif for foreach while repeat in next break return TRUE FALSE NULL NA true false null nothing end begin module using import export struct mutable abstract macro let const global local my our use package sub unless until last and or not proc var type of template method discard resource variable output provider data locals inherit rec with then query mutation fragment input enum interface union scalar"],
  ["proto protobuf thrift solidity sol verilog v sv", SLASHES, `${DOUBLE}|${SINGLE}`, `${C} ${CLASSES} syntax message service rpc returns option oneof map repeated optional required reserved string bool bytes int32 int64 uint32 uint64 double float contract function modifier event mapping address uint256 pragma solidity memory storage calldata external internal view pure payable module input output wire reg always begin end assign`],
]
const ANY_CASE = /^(sql|dockerfile|css|html)/
const WORD = String.raw`[\p{L}_$@][\p{L}\p{N}_$]*`
const NUMBER = String.raw`0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?`

const known = new Map<string, Language>()

function languageOf(name: string): Language | null {
  const last = name.toLowerCase().split("/").at(-1)!
  const short = last.split(".").at(-1)!
  const made = known.get(short)
  if (made) return made
  const row = TABLE.find(([names]) => names.split(" ").includes(short))
  if (!row) return null
  const [names, comments, strings, words] = row
  const anyCase = ANY_CASE.test(names)
  const language = {
    words: new Set((anyCase ? words.toLowerCase() : words).split(" ")),
    parts: new RegExp(`(${comments})|(${strings})|(${names.startsWith("html") ? String.raw`<\/?[\w:-]+` : WORD})|(?:${NUMBER})`, "gu"),
    anyCase,
  }
  known.set(short, language)
  return language
}

/** Can the language be told by this name? */
export const isCode = (name: string): boolean => languageOf(name) !== null

/** Returns the tokens of a text in order. `name` is that of a language, or of a file: its ending tells. */
export function tokens(text: string, name: string): Token[] {
  const language = text.length > MOST ? null : languageOf(name)
  if (!language) return []
  const found: Token[] = []
  for (const match of text.matchAll(language.parts)) {
    const [whole, comment, string, word] = match
    const to = match.index + whole.length
    const kind = comment !== undefined ? "comment" : string !== undefined ? "string" : word !== undefined ? kindOf(word, language, text, to) : "number"
    if (kind) found.push([match.index, to, kind])
  }
  return found
}

function kindOf(word: string, language: Language, text: string, to: number): Kind | null {
  if (word[0] === "<" || language.words.has(language.anyCase ? word.toLowerCase() : word)) return "keyword"
  if (word[0] === "@") return "name"
  if (text[to] === "(") return "name"
  return /^\p{Lu}/u.test(word) && /\p{Ll}/u.test(word) ? "type" : null
}

/** Returns for each line of a text its tokens, with offsets of the line. */
export function tokensByLine(text: string, name: string): Token[][] {
  const found: Token[][] = [[]]
  let start = 0
  let next = text.indexOf("\n")
  for (const [from, to, kind] of tokens(text, name)) {
    for (let at = from; at < to; ) {
      while (next >= 0 && next < at) {
        start = next + 1
        next = text.indexOf("\n", start)
        found.push([])
      }
      const end = next < 0 ? to : Math.min(to, next)
      if (end > at) found.at(-1)!.push([at - start, end - start, kind])
      at = next >= 0 && end === next ? next + 1 : end
    }
  }
  const lines = text.split("\n").length
  while (found.length < lines) found.push([])
  return found
}
