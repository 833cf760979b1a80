import assert from "node:assert/strict"
import { test } from "node:test"
import { blocks, inline, safeAddress } from "../src/markdown"

test("reads what agents write", () => {
  assert.deepEqual(blocks("# Title #\n\nOne **bold** and `a < b`,\nnext line.\n\n- first\n- second\n  - inner\n\n1. a\n2. b\n\n> said\n\n---\n\n| a | b |\n|---|:-:|\n| 1 | `2` |\n\n```py x\nprint('<b>')\n\n```\n"), [
    { type: "heading", level: 1, parts: ["Title"] },
    { type: "paragraph", parts: ["One ", { type: "strong", parts: ["bold"] }, " and ", { type: "code", text: "a < b" }, ",\nnext line."] },
    { type: "list", start: null, items: [
      [{ type: "paragraph", parts: ["first"] }],
      [{ type: "paragraph", parts: ["second"] }, { type: "list", start: null, items: [[{ type: "paragraph", parts: ["inner"] }]] }],
    ] },
    { type: "list", start: 1, items: [[{ type: "paragraph", parts: ["a"] }], [{ type: "paragraph", parts: ["b"] }]] },
    { type: "quote", blocks: [{ type: "paragraph", parts: ["said"] }] },
    { type: "rule" },
    { type: "table", head: [["a"], ["b"]], rows: [[["1"], [{ type: "code", text: "2" }]]] },
    { type: "code", language: "py", text: "print('<b>')\n" },
  ])
})

test("keeps code of an item, and text after it, where they belong", () => {
  assert.deepEqual(blocks("1. Run:\n\n   ```sh\n   make\n   ```\n\n2. Look.\n\nDone."), [
    { type: "list", start: 1, items: [
      [{ type: "paragraph", parts: ["Run:"] }, { type: "code", language: "sh", text: "make" }],
      [{ type: "paragraph", parts: ["Look."] }],
    ] },
    { type: "paragraph", parts: ["Done."] },
  ])
})

test("marks that are none stay text", () => {
  for (const text of ["2 * 3 * 4", "snake_case_name", "a ** b", "~ home", "[x] done", "` alone", "**", "*", "__init__.py is", "[a](", "!"])
    assert.equal(inline(text).map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(""), text)
  assert.deepEqual(inline("_so_ **it** *is*"), [{ type: "em", parts: ["so"] }, " ", { type: "strong", parts: ["it"] }, " ", { type: "em", parts: ["is"] }])
  assert.deepEqual(inline("\\*not\\* `` a`b ``"), ["*", "not", "*", " ", { type: "code", text: "a`b" }])
})

test("HTML and images are text", () => {
  assert.deepEqual(blocks("<img src=x onerror=alert(1)>"), [{ type: "paragraph", parts: ["<img src=x onerror=alert(1)>"] }])
  assert.deepEqual(inline("![alt](https://example.org/a.png)"), ["!", { type: "link", to: "https://example.org/a.png", parts: ["alt"] }])
})

test("only the web can be linked to", () => {
  for (const bad of ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\tscript:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//example.org", "/x", "#/x",
    "https://user:pass@example.org", "https://", "blob:https://x/y", " https://example.org", "\u0001https://example.org"])
    assert.equal(safeAddress(bad), null, bad)
  assert.equal(safeAddress("https://example.org/a?b=c#d"), "https://example.org/a?b=c#d")
  assert.deepEqual(inline("[x](javascript:alert(1))"), ["[x](javascript:alert(1))"])
  assert.deepEqual(inline("see https://example.org/a_b_c, or (https://example.org/(x))."), [
    "see ", { type: "link", to: "https://example.org/a_b_c", parts: ["https://example.org/a_b_c"] }, ", or (",
    { type: "link", to: "https://example.org/(x))", parts: ["https://example.org/(x))"] }, ".",
  ])
})

test("takes time in proportion to the text, whatever the text", () => {
  const hostile = ["*a ", "**a ", "_a ", "`", "``a ", "[", "[a](", "[a](https://x ", "> ", "- ", "  - ", "1. \n", "|a\n|-\n", "```\n", "~~a", "https://", "\\", "# ", "<", "\n\n- a\n\n", "> - "]
  for (const piece of hostile) {
    const time = (times: number) => {
      const text = piece.repeat(times)
      const from = process.cpuUsage()
      blocks(text)
      const used = process.cpuUsage(from)
      return (used.user + used.system) / 1000
    }
    time(1000)
    const small = Math.min(time(1500), time(1500))
    const large = Math.min(time(12000), time(12000))
    assert.ok(large < 50 || large < small * 8 * 4, `${JSON.stringify(piece)}: ${small} ms for 1,500, ${large} ms for 12,000`)
  }
})

test("everything that comes in comes out", () => {
  const text = (parts: unknown): string =>
    typeof parts === "string" ? parts : Array.isArray(parts) ? parts.map(text).join("")
      : parts && typeof parts === "object" ? Object.entries(parts).filter(([name]) => !["type", "to", "language", "level", "start"].includes(name)).map(([, value]) => text(value)).join("") : ""
  let seed = 7
  const random = (n: number) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n
  const pieces = ["a", "b ", "\n", "\n\n", "- ", "  ", "> ", "# ", "`", "**", "_", "[", "](", ")", "1. ", "|", "---", "```\n", "x1", "https://e.org/"]
  for (let i = 0; i < 3000; i++) {
    const made = Array.from({ length: 1 + random(25) }, () => pieces[random(pieces.length)]).join("")
    // What is left out is marks, white space, languages of code and addresses; letters of words stay in order.
    const words = made.replace(/```\n?[^\n`]*/g, "").replace(/~/g, "").match(/x1|a|b/g) ?? []
    const out = text(blocks(made.replace(/```\n?[^\n`]*/g, "")))
    const kept = out.match(/x1|a|b/g) ?? []
    assert.deepEqual(kept, words, JSON.stringify(made))
  }
})
