// Markdown as agents write it, read into a tree: in, any text; out, blocks of plain data. No HTML comes in or
// out: tags, images and addresses other than http(s) stay the text that they are. Takes time in proportion to the
// text, whatever the text.

export type Inline =
  | string
  | { type: "code"; text: string }
  | { type: "strong" | "em" | "del"; parts: Inline[] }
  | { type: "link"; to: string; parts: Inline[] }

export type Block =
  | { type: "heading"; level: number; parts: Inline[] }
  | { type: "paragraph"; parts: Inline[] }
  | { type: "code"; language: string; text: string }
  | { type: "quote"; blocks: Block[] }
  | { type: "list"; start: number | null; items: Block[][] }
  | { type: "table"; head: Inline[][]; rows: Inline[][][] }
  | { type: "rule" }

const DEEPEST = 6
/** How far ahead the end of an emphasis or a link is looked for. */
const REACH = 2000

/** Reads `text` into blocks. */
export function blocks(text: string): Block[] {
  return read(text.replace(/\r\n?/g, "\n").split("\n"), 0)
}

function read(lines: string[], depth: number): Block[] {
  const found: Block[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at]!
    if (line.trim() === "") {
      at++
      continue
    }
    const [block, next] = fence(lines, at) ?? heading(lines, at) ?? rule(lines, at) ?? quote(lines, at, depth) ??
      list(lines, at, depth) ?? table(lines, at) ?? paragraph(lines, at)
    found.push(block)
    at = next
  }
  return found
}

type Taken = [Block, number] | null

const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/
const ITEM = /^( {0,9})([-*+]|\d{1,9}[.)])( {1,4}|\t|$)/

function fence(lines: string[], at: number): Taken {
  const open = FENCE.exec(lines[at]!)
  if (!open) return null
  const mark = open[1]!
  let end = at + 1
  const closes = (line: string) => {
    const bare = line.trim()
    return bare.length >= mark.length && bare === mark[0]!.repeat(bare.length) && indent(line) < 4
  }
  while (end < lines.length && !closes(lines[end]!)) end++
  return [{ type: "code", language: open[2]!.trim().split(/\s/, 1)[0]!, text: lines.slice(at + 1, end).join("\n") }, end + 1]
}

function heading(lines: string[], at: number): Taken {
  const found = /^ {0,3}(#{1,6})(?:[ \t]|$)/.exec(lines[at]!)
  if (!found) return null
  const text = lines[at]!.slice(found[0].length).trim().replace(/ #{1,6}$/, "")
  return [{ type: "heading", level: found[1]!.length, parts: inline(text) }, at + 1]
}

function rule(lines: string[], at: number): Taken {
  const bare = lines[at]!.replace(/[ \t]/g, "")
  const is = bare.length >= 3 && bare.length < 200 && /^(-+|\*+|_+)$/.test(bare) && indent(lines[at]!) < 4
  return is ? [{ type: "rule" }, at + 1] : null
}

function quote(lines: string[], at: number, depth: number): Taken {
  if (depth >= DEEPEST || !/^ {0,3}>/.test(lines[at]!)) return null
  let end = at
  while (end < lines.length && /^ {0,3}>/.test(lines[end]!)) end++
  const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ""))
  return [{ type: "quote", blocks: read(inner, depth + 1) }, end]
}

function list(lines: string[], at: number, depth: number): Taken {
  const first = ITEM.exec(lines[at]!)
  if (!first || depth >= DEEPEST) return null
  const numbered = /\d/.test(first[2]!)
  const items: Block[][] = []
  let end = at
  while (end < lines.length) {
    const mark = ITEM.exec(lines[end]!)
    if (!mark || mark[1]!.length > first[1]!.length + 3 || mark[1]!.length + 1 < first[1]!.length || /\d/.test(mark[2]!) !== numbered) break
    if (rule(lines, end)) break
    const width = mark[3] === "" ? mark[0].length + 1 : mark[0].length
    const inner = [lines[end]!.slice(mark[0].length)]
    let next = end + 1
    // What is indented further belongs to the item, and so do blank lines between such lines.
    for (let ahead = next; ahead < lines.length; ahead++) {
      const line = lines[ahead]!
      if (line.trim() === "") continue
      const blankBefore = ahead > next
      const deeper = indent(line) >= Math.min(width, mark[1]!.length + 2)
      if (!deeper && (blankBefore || starts(line))) break
      while (next < ahead) inner.push(lines[next++]!.trim())
      inner.push(outdent(line, width))
      next++
    }
    items.push(read(inner, depth + 1))
    end = next
    // A blank line between two items does not end the list.
    let after = end
    while (after < lines.length && lines[after]!.trim() === "") after++
    if (after > end && after < lines.length && ITEM.test(lines[after]!)) end = after
  }
  if (items.length === 0) return null
  return [{ type: "list", start: numbered ? parseInt(first[2]!, 10) : null, items }, end]
}

function table(lines: string[], at: number): Taken {
  const under = lines[at + 1]
  if (under === undefined || under.length > 2000 || !lines[at]!.includes("|") || !under.includes("-")) return null
  const marks = cells(under)
  const head = cells(lines[at]!)
  if (marks.length !== head.length || !marks.every((mark) => /^:?-+:?$/.test(mark))) return null
  let end = at + 2
  const rows: Inline[][][] = []
  for (; end < lines.length && lines[end]!.includes("|"); end++)
    rows.push(cells(lines[end]!).slice(0, head.length).map((cell) => inline(cell)))
  return [{ type: "table", head: head.map((cell) => inline(cell)), rows }, end]
}

function cells(line: string): string[] {
  const bare = line.trim().replace(/^\|/, "").replace(/\|$/, "")
  return bare.split("|").map((cell) => cell.trim())
}

function paragraph(lines: string[], at: number): [Block, number] {
  let end = at + 1
  while (end < lines.length && lines[end]!.trim() !== "" && !starts(lines[end]!)) end++
  return [{ type: "paragraph", parts: inline(lines.slice(at, end).map((line) => line.trim()).join("\n")) }, end]
}

/** Says whether a line begins a block that ends a paragraph. */
function starts(line: string): boolean {
  return FENCE.test(line) || ITEM.test(line) || /^ {0,3}(#{1,6}[ \t]|>)/.test(line)
}

function indent(line: string): number {
  return line.length - line.trimStart().length
}

function outdent(line: string, width: number): string {
  return line.slice(Math.min(width, indent(line)))
}

// Not "__": here that is a name of Python far more often than an emphasis.
const MARKS = ["**", "~~", "*", "_"] as const
const KINDS = { "**": "strong", "~~": "del", "*": "em", _: "em" } as const

/** Reads the text of one block into its parts. */
export function inline(text: string, depth = 0): Inline[] {
  const parts: Inline[] = []
  const gone = new Set<string>()  // code marks that no longer occur
  const looked = new Map<string, number>()  // up to where there is no end for a mark
  let plain = 0
  let at = 0
  const push = (part: Inline, from: number, next: number) => {
    if (from > plain) parts.push(text.slice(plain, from))
    parts.push(part)
    at = plain = next
  }
  while (at < text.length) {
    const char = text[at]!
    if (char === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) push(text[at + 1]!, at, at + 2)
    else if (char === "`") {
      let run = 1
      while (text[at + run] === "`") run++
      const mark = "`".repeat(Math.min(run, 20))
      const end = gone.has(mark) ? -1 : text.indexOf(mark, at + run)
      if (end < 0) {
        gone.add(mark)
        at += run
      } else push({ type: "code", text: text.slice(at + run, end).replace(/^ (.+) $/s, "$1") }, at, end + run)
    } else if (depth < DEEPEST && (char === "*" || char === "_" || char === "~")) {
      const mark = MARKS.find((one) => text.startsWith(one, at))
      const end = mark ? closing(text, at, mark, looked) : -1
      if (!mark || end < 0) at += mark?.length ?? 1
      else push({ type: KINDS[mark], parts: inline(text.slice(at + mark.length, end), depth + 1) }, at, end + mark.length)
    } else if (char === "[" && depth < DEEPEST) {
      const found = link(text, at)
      if (!found) at++
      else push({ type: "link", to: found.to, parts: inline(found.text, DEEPEST) }, at, found.end)
    } else if (char === "h" && !/\w/.test(text[at - 1] ?? "") && depth < DEEPEST) {
      const bare = bareAddress(text, at)
      if (!bare) at++
      else push({ type: "link", to: bare, parts: [bare] }, at, at + bare.length)
    } else at++
  }
  if (plain < text.length) parts.push(text.slice(plain))
  return parts
}

function closing(text: string, at: number, mark: string, looked: Map<string, number>): number {
  const inside = at + mark.length
  if (/^\s?$/.test(text[inside] ?? "")) return -1
  const word = mark[0] === "_"
  if (word && /\w/.test(text[at - 1] ?? "")) return -1
  const reach = Math.min(text.length, inside + REACH)
  for (let end = Math.max(inside + 1, looked.get(mark) ?? 0); end < reach; end++) {
    if (text[end] !== mark[0] || !text.startsWith(mark, end)) continue
    if (mark.length === 1 && (text[end + 1] === mark || text[end - 1] === mark)) continue
    if (/\s/.test(text[end - 1]!) || (word && /\w/.test(text[end + mark.length] ?? ""))) continue
    return end
  }
  looked.set(mark, reach)
  return -1
}

function link(text: string, at: number): { text: string; to: string; end: number } | null {
  const near = text.slice(at, at + REACH)
  const middle = near.indexOf("](")
  if (middle < 0 || near.slice(1, middle).includes("[")) return null
  const end = near.indexOf(")", middle)
  if (end < 0) return null
  const address = safeAddress(near.slice(middle + 2, end).trim().split(/\s/, 1)[0]!)
  return address === null ? null : { text: near.slice(1, middle), to: address, end: at + end + 1 }
}

function bareAddress(text: string, at: number): string | null {
  const found = /^https?:\/\/[^\s<>"'`|\\^{}[\]]{1,1500}/.exec(text.slice(at, at + 1600))
  if (!found) return null
  let address = found[0].replace(/[.,;:!?*_~]+$/, "")
  if (address.endsWith(")") && !address.includes("(")) address = address.replace(/\)+$/, "")
  return safeAddress(address)
}

/** Returns an address that may be followed, as the browser reads it, or null: only the web, no name and password in it. */
export function safeAddress(text: string): string | null {
  if (!/^https?:\/\//i.test(text)) return null
  try {
    const address = new URL(text)
    return address.username || address.password || address.hostname === "" ? null : text
  } catch {
    return null
  }
}
