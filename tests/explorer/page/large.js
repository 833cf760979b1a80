// Answers two documents of the page itself: a file of 10,000 lines of 2,000 origins, and a
// conversation of 2,000 exchanges. All others are asked for as ever.
(() => {
  const real = fetch
  const date = "2024-01-01T00:00:00Z"
  const commit = { sha: "a".repeat(40), subject: "made", author: "Ada", date }
  const exchange = (i) => ({
    key: `e${i % 97}`, id: "e", session: "s", n: 1 + i, time: date, agent: "claude-code", title: `Exchange ${i}`,
  })
  const made = {
    "api/file/large.json": {
      file: { key: "large", path: "large" }, language: null, commit, total_lines: 10000,
      lines: Array.from({ length: 10000 }, (_, i) => `line ${i + 1}`),
      origins: Array.from({ length: 2000 }, (_, i) => ({
        start: i * 5 + 1, end: i * 5 + 5, commit, exchange: i % 3 ? exchange(i) : null, confidence: 0.9,
      })),
      complete: true, why_incomplete: null, binary: false, learnings: [],
    },
    "api/session/large.json": {
      session: {
        key: "large", id: "large", title: "Large", agent: "codex", model: null, start: date, end: null,
        parent: null, exchanges: 2000, commits: 0, lines_linked: 0, lines_alive: null,
      },
      origin: null, children: [],
      exchanges: Array.from({ length: 2000 }, (_, i) => ({
        ref: exchange(i), prompt: "word ".repeat(80), prompt_cut: false, tools: "read→edit", files: [],
        commits: [], lines_linked: 0, lines_alive: null, kind: null, status: "captured",
      })),
    },
  }
  window.fetch = (at, ...more) =>
    made[at] ? Promise.resolve(new Response(JSON.stringify(made[at]))) : real(at, ...more)
})()
