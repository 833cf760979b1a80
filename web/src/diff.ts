// Unified diffs: in, the text; out, runs of lines of one kind, with the numbers that they have in the new file.

export type Kind = "added" | "removed" | "same" | "hunk" | "head"
export interface Run {
  kind: Kind
  lines: string[]
  /** Number of the first line in the new file; for removed lines, of the line that follows them. Null before the first hunk. */
  start: number | null
}

/** Reads a diff of one file, or a piece without a header (then numbers are null). */
export function runs(diff: string): Run[] {
  const found: Run[] = []
  let number: number | null = null
  let inHunk = false
  const text = diff.endsWith("\n") ? diff.slice(0, -1) : diff
  for (const line of text.split("\n")) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line)
    let kind: Kind = "head"
    if (hunk) {
      kind = "hunk"
      number = Number(hunk[1])
      inHunk = true
    } else if (inHunk || !/^(diff |index |--- |\+\+\+ |new file|deleted file|old mode|new mode|similarity|rename|copy)/.test(line)) {
      kind = line[0] === "+" ? "added" : line[0] === "-" ? "removed" : line[0] === "\\" ? "head" : "same"
    }
    const last = found.at(-1)
    if (last?.kind === kind && kind !== "hunk") last.lines.push(line)
    else found.push({ kind, lines: [line], start: kind === "hunk" || kind === "head" ? null : number })
    if (number !== null && (kind === "added" || kind === "same")) number++
  }
  return found
}

/** Counts added and removed lines of a diff. */
export function sizes(diff: string): { added: number; removed: number } {
  const size = { added: 0, removed: 0 }
  for (const run of runs(diff)) if (run.kind === "added" || run.kind === "removed") size[run.kind] += run.lines.length
  return size
}
