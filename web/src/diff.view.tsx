// Diffs on the page: runs of added and removed lines; each added run leads to its place in the file.

import { useState } from "preact/hooks"
import type { FileRef } from "./api"
import { runs, type Run } from "./diff"
import { count } from "./format"
import { to } from "./route"
import { shown } from "./text"

const NAMES = { added: "Added", removed: "Removed", same: "", hunk: "", head: "" } as const
const MOST = 400

/** A diff; `file` makes numbers of lines into links to the file as it is now. */
export function Diff({ diff, file, path }: { diff: string; file?: FileRef | null; path: string }) {
  const [all, setAll] = useState(false)
  const found = runs(diff).filter((run) => run.kind !== "head" || !/^(diff|index|---)/.test(run.lines[0]!))
  const total = found.reduce((sum, run) => sum + run.lines.length, 0)
  const cut = !all && total > MOST * 1.2
  return (
    <>
      <div class="diff" tabIndex={0} role="group" aria-label={`Changes of ${path}`.slice(0, 200)}>
        <div class="diff-field">{(cut ? first(found, MOST) : found).map((run) => <Lines run={run} file={file ?? null} />)}</div>
      </div>
      {cut && <button type="button" onClick={() => setAll(true)}>Show all {count(total)} lines</button>}
    </>
  )
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

function Lines({ run, file }: { run: Run; file: FileRef | null }) {
  const text = run.lines.map((line) => shown(line)).join("\n")
  const number = run.kind === "added" || run.kind === "same" ? run.start : null
  const numbers = number === null ? "" : run.lines.map((_, at) => number + at).join("\n")
  return (
    <div class={`run ${run.kind}`}>
      {file && number !== null && run.kind === "added"
        ? <a class="numbers" href={to.file(file.key, number, number + run.lines.length - 1)} title="These lines as they are now" aria-hidden="true" tabIndex={-1}>{numbers}</a>
        : <span class="numbers" aria-hidden="true">{numbers}</span>}
      {NAMES[run.kind] && <span class="hidden">{NAMES[run.kind]}: </span>}
      <pre dir="ltr">{text}</pre>
    </div>
  )
}
