import assert from "node:assert/strict"
import { test } from "node:test"
import { runs, sizes } from "../src/diff"
import { count, hue, longDay, many, minute, monthName, monthsFrom, percent } from "../src/format"
import { isKey, parse, to } from "../src/route"
import { pick } from "../src/search"
import { line, shown } from "../src/text"
import { squarify } from "../src/treemap"

test("addresses lead back to what they name", () => {
  assert.deepEqual(parse(to.file("src/a.py", 12)), { view: "file", key: "src/a.py", start: 12, end: 12 })
  assert.deepEqual(parse(to.file("src/a.py", 12, 20)), { view: "file", key: "src/a.py", start: 12, end: 20 })
  assert.deepEqual(parse(to.file("src/a~20b.py")), { view: "file", key: "src/a~20b.py", start: null, end: null })
  assert.deepEqual(parse(to.exchange("s~2fe")), { view: "exchange", key: "s~2fe" })
  assert.deepEqual(parse(to.timeline(3, "2024-05")), { view: "timeline", page: 3, month: "2024-05" })
  assert.deepEqual(parse(""), { view: "timeline", page: 0, month: null })
  assert.deepEqual(parse(to.map()), { view: "map", key: "_root" })
  assert.deepEqual(parse(to.search("a/b c&d?#%")), { view: "search", query: "a/b c&d?#%" })
  assert.deepEqual(parse("#/search/%"), { view: "search", query: "%" })
})

test("addresses that climb, or name no key, name nothing", () => {
  for (const bad of ["../x", "a/../../x", "./a", "a//b", "/a", "a/", "", "a b", "a%2fb", "a?b", "a\\b", "é", "a:b", "x".repeat(5000), "a/."])
    assert.equal(isKey(bad), false, bad)
  for (const bad of ["#/exchange/../../evil", "#/exchange/..", "#/file/../x:1", "#/commit/", "#/nothing", "#/file/a:1:2", "#/file/a:x", "#/map/../..", "#javascript:alert(1)", "#//example.org"])
    assert.deepEqual(parse(bad), { view: "unknown" }, bad)
  assert.deepEqual(parse("#/timeline/1e9"), { view: "timeline", page: 0, month: null })
})

test("what cannot be seen is named", () => {
  assert.equal(shown("a\u0000b\u001b[31m\u007f\u202e\u2066x\u200b\ufeff\r\n\tc\rd"), "a␀b␛[31m␡<U+202E><U+2066>x<U+200B><U+FEFF>\n\tc␍d")
  assert.equal(line("  a\n\n b\u202e  "), "a b<U+202E>")
  assert.equal(line("x".repeat(100000), 10), "xxxxxxxxx…")
  assert.equal(line("x".repeat(41), 10), "xxxxxxxxx…")
})

test("diffs are read into runs with numbers", () => {
  const diff = "diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1,3 +1,4 @@ f\n one\n-two\n+2\n+2b\n three\n@@ -9 +10,0 @@\n--- gone\n\\ No newline at end of file\n"
  assert.deepEqual(runs(diff).map(({ kind, lines, start }) => [kind, lines.length, start]), [
    ["head", 4, null], ["hunk", 1, null], ["same", 1, 1], ["removed", 1, 2], ["added", 2, 2], ["same", 1, 4], ["hunk", 1, null], ["removed", 1, 10], ["head", 1, null],
  ])
  assert.deepEqual(sizes(diff), { added: 2, removed: 2 })
  assert.deepEqual(runs("+a\n-b\n c"), [
    { kind: "added", lines: ["+a"], start: null }, { kind: "removed", lines: ["-b"], start: null }, { kind: "same", lines: [" c"], start: null },
  ])
})

test("a treemap fills its field with boxes of the right size that do not overlap", () => {
  for (const sizes of [[1], [5, 4, 3, 2, 1], [1000, 1, 1, 1], Array.from({ length: 60 }, (_, i) => 60 - i)]) {
    const boxes = squarify(sizes, 2.4)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    boxes.forEach((box, at) => {
      assert.ok(Math.abs((box.width * box.height) / 10000 - sizes[at]! / total) < 1e-9)
      assert.ok(box.x >= -1e-9 && box.y >= -1e-9 && box.x + box.width <= 100 + 1e-9 && box.y + box.height <= 100 + 1e-9)
      for (const other of boxes.slice(at + 1))
        assert.ok(box.x + box.width <= other.x + 1e-9 || other.x + other.width <= box.x + 1e-9 || box.y + box.height <= other.y + 1e-9 || other.y + other.height <= box.y + 1e-9)
    })
  }
})

test("an export finds what holds all words, beginnings of words first", () => {
  const file = (path: string) => ({ key: path, path })
  const index = { files: [file("src/preparse.py"), file("src/parse.py"), file("docs/x.md")], exchanges: [], learnings: [],
    commits: [{ sha: "abc", subject: "Parse dates", author: "Ada", date: "2024-01-01T00:00:00Z" }] }
  const found = pick(index, "  PARSE src ")
  assert.deepEqual(found.files.map((one) => one.path), ["src/parse.py", "src/preparse.py"])
  assert.deepEqual(pick(index, "parse ada").commits.map((one) => one.sha), ["abc"])
  assert.deepEqual(pick(index, "").files, [])
})

test("numbers and times are words", () => {
  assert.deepEqual([count(1234567), count(12), many(1, "line"), many(2, "line")], ["1,234,567", "12", "1 line", "2 lines"])
  assert.deepEqual([percent(0, 5), percent(1, 1000), percent(999, 1000), percent(5, 5), percent(1, 0)], ["0 %", "<1 %", "99 %", "100 %", "–"])
  assert.deepEqual([minute("2024-03-01T12:34:56.7Z"), minute(null), longDay("2024-03-01"), longDay("unknown"), monthName("2024-03")],
    ["2024-03-01 12:34", "time unknown", "Friday, 1 March 2024", "Day unknown", "March 2024"])
  assert.deepEqual(monthsFrom("2023-11", "2024-02"), ["2023-11", "2023-12", "2024-01", "2024-02"])
  assert.deepEqual([monthsFrom("x", "y"), monthsFrom("2024-02", "2024-01"), monthsFrom("0001-01", "9999-12").length], [[], [], 1200])
  assert.ok(new Set(Array.from({ length: 200 }, (_, i) => hue(`exchange-${i}`, 8))).size === 8)
})
