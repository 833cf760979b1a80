// Search in an export: in, the index of titles and paths; out, what holds all words, best first.

import type { Found, SearchIndex } from "./api"
import { words } from "./text"

const MOST = 25

/** Looks for `query`; words at the beginning of a name count more. */
export function pick(index: SearchIndex, query: string): Found {
  const wanted = words(query)
  const best = <T>(items: T[], text: (item: T) => string): T[] => {
    const scored: [number, T][] = []
    for (const item of items) {
      const score = match(text(item).toLowerCase(), wanted)
      if (score > 0) scored.push([score, item])
    }
    return scored.sort((a, b) => b[0] - a[0]).slice(0, MOST).map(([, item]) => item)
  }
  return {
    query, took_ms: 0, notes: [], code: [], skills: [],
    exchanges: best(index.exchanges, (one) => one.title).map((ref) => ({ ref, excerpt: "" })),
    learnings: best(index.learnings, (one) => `${one.title} ${one.id} ${one.category ?? ""}`),
    commits: best(index.commits, (one) => `${one.subject} ${one.sha} ${one.author}`),
    files: best(index.files, (one) => one.path),
  }
}

/** 0 if a word is missing; else more for words that begin a word of the text, and for short texts. */
function match(text: string, wanted: string[]): number {
  let score = wanted.length === 0 ? 0 : 1 / (1 + text.length / 100)
  for (const word of wanted) {
    const at = text.indexOf(word)
    if (at < 0) return 0
    score += at === 0 || !/[a-z0-9]/.test(text[at - 1]!) ? 2 : 1
  }
  return score
}
