import assert from "node:assert/strict"
import { test } from "node:test"
import { joined } from "../src/colours"
import { tokens, tokensByLine } from "../src/tokens"

/** The tokens as text: `kind:words`, in order. */
const told = (text: string, name: string) => tokens(text, name).map(([from, to, kind]) => `${kind}:${text.slice(from, to)}`)

test("words of a program are told apart", () => {
  assert.deepEqual(told(`def f(x):  # no "text"\n    return Path(f"a{x}") + 0x1F`, "src/a.py"), [
    "keyword:def", "name:f", 'comment:# no "text"', "keyword:return", "name:Path", 'string:f"a{x}"', "number:0x1F"])
  assert.deepEqual(told("func (s *Store) Get() { return `a\nb`, 'x' } // end", "go"), [
    "keyword:func", "type:Store", "name:Get", "keyword:return", "string:`a\nb`", "string:'x'", "comment:// end"])
  assert.deepEqual(told("const a = /[/'\"]/.test(b) / 2", "a.ts"), ["keyword:const", "string:/[/'\"]/", "name:test", "number:2"])
  assert.deepEqual(told("fn f<'a>(x: &'a str) -> char { '\\n' }", "lib.rs"), ["keyword:fn", "keyword:str", "keyword:char", "string:'\\n'"])
  assert.deepEqual(told("SELECT x -- it's\nFROM t", "sql"), ["keyword:SELECT", "comment:-- it's", "keyword:FROM"])
  assert.deepEqual(told("it: isn't # told\nn: 'x'", "a.yml"), ["comment:# told", "string:'x'"])
  assert.deepEqual(told('<a href="x">don\'t</a><!-- no -->', "a.html"), ["keyword:<a", 'string:"x"', "keyword:</a", "comment:<!-- no -->"])
})

test("what is not known has no colour", () => {
  for (const name of ["", "prose", "a.unknown", "__proto__", "constructor", "toString", "a.md", "../..", "a b"]) assert.deepEqual(tokens("def f(): 'x' # y", name), [])
  assert.deepEqual(tokens("x = 1\n".repeat(200_000), "a.py"), [])
})

test("tokens lie within their lines, also those that go on", () => {
  assert.deepEqual(tokensByLine('a = """one\n\ntwo""" # x\nb', "py"), [[[4, 10, "string"]], [], [[0, 6, "string"], [7, 10, "comment"]], []])
  assert.deepEqual(joined([[[0, 2, "string"]], [], [[1, 3, "name"]]], [2, 0, 5]), [[0, 2, "string"], [5, 7, "name"]])
  assert.equal(tokensByLine("\n\n", "py").length, 3)
})

test("no text takes long", () => {
  const parts = ['"', "'", "`", "/*", "(/[", "(/", "\\", "<!--", "--[[", "{-", "(*", '"""', "rb", "0x", "1e", "a", " ", "#", "@", "\ud800", "\u202e"]
  // Processor time, as others may be at work here: what went back again and again would take minutes.
  const before = process.cpuUsage()
  for (const name of ["py", "ts", "rs", "sh", "sql", "yaml", "html", "lua"])
    for (const part of parts) tokens(part.repeat(100_000 / part.length), name)
  const { user, system } = process.cpuUsage(before)
  assert.ok((user + system) / 1e6 < 20)
})
