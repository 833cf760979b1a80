// Diffs on the page: runs of added and removed lines; each added run leads to its place in the file.

import { useMemo, useState } from "preact/hooks"
import type { FileRef } from "./api"
import { joined, useColours } from "./colours"
import { runs, type Run } from "./diff"
import { count } from "./format"
import { to } from "./route"
import { shown } from "./text"
import { tokensByLine, type Token } from "./tokens"

const NAMES = { added: "Added", removed: "Removed", same: "", hunk: "", head: "" } as const
const MOST = 400

/** A diff; `file` makes numbers of lines into links to the file as it is now. */
export function Diff({ diff, file, path }: { diff: string; file?: FileRef | null; path: string }) {
  const [all, setAll] = useState(false)
  const [found, tokens] = useMemo(() => read(diff, path), [diff, path])
  const total = found.reduce((sum, run) => sum + run.lines.length, 0)
  const cut = !all && total > MOST * 1.2
  return (
    <>
      <div class="diff" tabIndex={0} role="group" aria-label={`Changes of ${path}`.slice(0, 200)}>
        <div class="diff-field">{(cut ? first(found, MOST) : found).map((run, at) => <Lines run={run} file={file ?? null} tokens={() => tokens()[at]!} />)}</div>
      </div>
      {cut && <button type="button" onClick={() => setAll(true)}>Show all {count(total)} lines</button>}
    </>
  )
}

/** The runs as they are shown, and for each its tokens by line, taken apart when they are asked for. */
function read(diff: string, path: string): [Run[], () => Token[][][]] {
  const found = runs(diff)
    .filter((run) => run.kind !== "head" || !/^(diff|index|---)/.test(run.lines[0]!))
    .map((run) => ({ ...run, lines: run.lines.map(shown) }))
  let made: Token[][][] | null = null
  return [found, () => (made ??= coloured(found, path))]
}

/** Each side of a hunk is a text of its own: what begins in one line may end in another. */
function coloured(found: Run[], path: string): Token[][][] {
  const made: Token[][][] = found.map((run) => run.lines.map(() => []))
  const side = (from: number, to: number, other: Run["kind"]) => {
    const places: [run: number, line: number][] = []
    for (let at = from; at < to; at++)
      if (found[at]!.kind === "same" || found[at]!.kind === other) found[at]!.lines.forEach((_, line) => places.push([at, line]))
    const text = places.map(([run, line]) => found[run]!.lines[line]!.slice(1)).join("\n")
    tokensByLine(text, path).forEach((tokens, at) => {
      const place = places[at]
      if (place) made[place[0]]![place[1]] = tokens.map(([start, end, kind]) => [start + 1, end + 1, kind])
    })
  }
  for (let from = 0; from < found.length; ) {
    let to = from + 1
    while (to < found.length && found[to]!.kind !== "hunk") to++
    side(from, to, "removed")
    side(from, to, "added")
    from = to
  }
  return made
}

function first(found: Run[], most: number): Run[] {
  const kept: Run[] = []
  let left = most
  for (const run of found) {
    if (left <= 0) break
    kept.push({ ...run, lines: run.lines.slice(0, left) })
    left -= run.lines.length
  }
  return kept
}

function Lines({ run, file, tokens }: { run: Run; file: FileRef | null; tokens: () => Token[][] }) {
  const text = run.lines.join("\n")
  const field = useColours<HTMLPreElement>(text, () => joined(tokens().slice(0, run.lines.length), run.lines.map((line) => line.length)))
  const number = run.kind === "added" || run.kind === "same" ? run.start : null
  const numbers = number === null ? "" : run.lines.map((_, at) => number + at).join("\n")
  return (
    <div class={`run ${run.kind}`}>
      {file && number !== null && run.kind === "added"
        ? <a class="numbers" href={to.file(file.key, number, number + run.lines.length - 1)} title="These lines as they are now" aria-hidden="true" tabIndex={-1}>{numbers}</a>
        : <span class="numbers" aria-hidden="true">{numbers}</span>}
      {NAMES[run.kind] && <span class="hidden">{NAMES[run.kind]}: </span>}
      <pre dir="ltr" ref={field}>{text}</pre>
    </div>
  )
}
