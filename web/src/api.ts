// What the page asks for and what it gets. Every document has a PATH; the server answers it at
// /api/PATH.json, an export holds it in data/PATH.js as `skillmesh_give("PATH", {...})`.
// A KEY is ASCII and safe in addresses and file names: UTF-8 bytes of the id or path, in which
// every byte but A-Z a-z 0-9 . _ - (and / in paths) is written ~xx in lower-case hexadecimal; a first "." of a
// segment is escaped too when the segment is "." or ".."; a segment longer than 150 is cut and gets "~" and 16 digits of its sha256.
// An id of an exchange is one segment (`SESSION~2fEXCHANGE`). Take keys as they are: only paths of files can be read from them.
// index.html says data-mode="serve"; an export replaces that by data-mode="export" and nothing else. The page asks with addresses
// relative to index.html, sends the cookie that the server set, and knows no token.
// What is named but is not in this clone (an exchange that was not fetched) has n = 0; its document answers 404.
// Times are ISO 8601 in UTC. Counts of lines are whole numbers. Absent = null, never a missing key.

export type Key = string

export interface SessionRef { key: Key; id: string; title: string; agent: string; model: string | null
  start: string | null; end: string | null; exchanges: number; commits: number; lines_linked: number; lines_alive: number | null
  parent: Key | null }
export interface ExchangeRef { key: Key; id: string; session: Key; n: number; time: string | null; agent: string; title: string }
export interface CommitRef { sha: string; subject: string; author: string; date: string }
export interface LearningRef { key: Key; id: string; title: string; state: string; severity: string; category: string | null }
export interface FileRef { key: Key; path: string }
export interface Place extends FileRef { start: number; end: number }

// overview
export interface Overview {
  mode: "serve" | "export"; version: string; repository: string; repo_id: string
  head: { sha: string; branch: string | null } | null
  state: string                       // changes whenever any answer may have changed
  counts: { commits: number; linked_commits: number; sessions: number; exchanges: number; learnings: number; skills: number; files: number }
  lines: { total: number; known: number } | null   // lines at HEAD, and those whose exchange is known (null while not known)
  months: { month: string; commits: number; linked: number; sessions: number; page: number }[]  // oldest first; page of the timeline where it begins
  agents: { agent: string; exchanges: number }[]
  timeline_pages: number; session_pages: number
  left_out: string[]                  // what an export leaves out, in words
  hints: string[]                     // e.g. "no conversations yet: git skillmesh import claude"
}
// timeline/N  (N = 0 is the newest; 100 entries a page). Conversations of subagents are left out; of a commit at most the 12 exchanges
// with the most lines are listed.
export type Entry =
  | ({ type: "commit"; exchanges: ExchangeRef[]; added: number | null; linked: number; merge: boolean } & CommitRef)
  | ({ type: "session" } & SessionRef)
export interface Timeline { page: number; pages: number; entries: Entry[] }
// sessions/N (100 a page, newest first, those of subagents too; SessionRef.model is told in session/KEY only)
export interface Sessions { page: number; pages: number; sessions: SessionRef[] }
// commit/SHA. A merge is compared with its first parent.
export interface Commit extends CommitRef { parents: string[]; body: string; email: string | null
  files: { file: FileRef; added: number | null; removed: number | null; status: string; diff: string | null }[]   // diff: unified, null when too long
  files_left_out: number
  exchanges: { exchange: ExchangeRef; lines: number; confidence: number | null; method: string | null }[]
  learnings: LearningRef[] }
// session/KEY
export interface Session { session: SessionRef; origin: string | null; children: SessionRef[]
  exchanges: { ref: ExchangeRef; prompt: string; prompt_cut: boolean; tools: string; files: FileRef[]; commits: CommitRef[]; lines_linked: number; lines_alive: number | null; kind: string | null; status: string }[] }
// exchange/KEY
export interface Exchange { ref: ExchangeRef; session: SessionRef; previous: Key | null; next: Key | null
  prompt: string; response: string; model: string | null; status: string; kind: string | null
  tools: { name: string; target: string | null; input: string | null; output: string | null; failed: boolean | null }[]
  edits: { file: FileRef; diff: string }[]
  commits: { commit: CommitRef; lines: number; confidence: number | null }[]
  alive: Place[]                      // at HEAD
  lines_linked: number; lines_alive: number | null
  died: { commit: CommitRef | null; lines: number }[]   // by which commit lines went, as far as known
  reward: { verdict: string; score: number | null; parts: { name: string; value: number | null; weight: number | null }[] } | null
  learnings: LearningRef[]
  cut: string[] }                     // what was shortened, in words
// file/KEY   at HEAD
export interface File { file: FileRef; language: string | null; commit: CommitRef | null; lines: string[]; total_lines: number
  origins: { start: number; end: number; commit: CommitRef | null; exchange: ExchangeRef | null; confidence: number | null }[]   // sorted, cover all lines shown
  complete: boolean; why_incomplete: string | null; binary: boolean
  learnings: LearningRef[] }
// map/KEY  a folder; the root is map/_root
export interface Area { file: FileRef; parent: Key | null; lines: number; known: number; exchanges: number
  children: { file: FileRef; folder: boolean; lines: number; known: number; exchanges: number }[]; complete: boolean }
// learnings
export interface Learnings { learnings: (LearningRef & { tags: string[]; origin: ExchangeRef | null; findings: number | null })[]; problems: string[] }
// learning/KEY. `why` is the reason given for blocking or retiring it. backtest is null until it has been computed in the background;
// its estimate is the share of the commits on which it fired rightly (0..1, 95 % interval).
export interface Learning { ref: LearningRef; description: string; why: string | null; instead: string | null; tags: string[]; languages: string[]; paths: string[]
  source: string                     // its file, as text
  file: FileRef; matcher: string; good: string[]; bad: string[]
  origin: { exchange: ExchangeRef | null; commit: CommitRef | null; text: string | null }
  changes: CommitRef[]               // of its file, newest first
  backtest: { commits: number; points: { month: string; fired: number; fixed: number }[]; estimate: { low: number; high: number; mean: number } | null; at: string | null } | null
  related: LearningRef[] }
// search?q=WORDS (server only, /api/search.json?q=WORDS); notes say what was not searched and why. An export holds `search` instead: every SearchItem without excerpts, searched in the page.
export interface Found { query: string; took_ms: number; notes: string[]
  code: (Place & { symbol: string | null; excerpt: string })[]
  exchanges: { ref: ExchangeRef; excerpt: string }[]
  learnings: LearningRef[]; commits: CommitRef[]
  skills: { id: string; title: string; summary: string }[]; files: FileRef[] }
export interface SearchIndex { files: FileRef[]; exchanges: ExchangeRef[]; learnings: LearningRef[]; commits: CommitRef[] }
// An error is {"error": "one line"} with a status of 4xx or 5xx.
