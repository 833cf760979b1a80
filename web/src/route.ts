// Addresses within the page: in, the part after "#"; out, what to show. Anything else is "unknown", so that
// a link that somebody made up can name no document outside of the data folder.

export type Route =
  | { view: "timeline"; page: number; month: string | null }
  | { view: "sessions"; page: number }
  | { view: "session" | "exchange" | "commit" | "learning" | "map"; key: string }
  | { view: "file"; key: string; start: number | null; end: number | null }
  | { view: "learnings" }
  | { view: "search"; query: string }
  | { view: "unknown" }

/** Says whether a text is a key: segments of safe characters, none of which climbs. */
export function isKey(text: string): boolean {
  return text.length <= 4000 && text.split("/").every((part) => /^[A-Za-z0-9._~-]{1,400}$/.test(part) && !/^\.\.?$/.test(part))
}

/** Reads an address, with or without its "#". */
export function parse(hash: string): Route {
  const address = hash.replace(/^#/, "").replace(/^\//, "")
  const slash = address.indexOf("/")
  const view = slash < 0 ? address : address.slice(0, slash)
  const rest = slash < 0 ? "" : address.slice(slash + 1)
  if (address === "") return { view: "timeline", page: 0, month: null }
  switch (view) {
    case "timeline": {
      const [page, month] = rest.split(":")
      return { view: "timeline", page: whole(page), month: month && /^\d{4}-\d\d$/.test(month) ? month : null }
    }
    case "sessions":
      return { view, page: whole(rest) }
    case "session":
    case "exchange":
    case "commit":
    case "learning":
      return isKey(rest) ? { view, key: rest } : { view: "unknown" }
    case "map":
      return rest === "" ? { view, key: "_root" } : isKey(rest) ? { view, key: rest } : { view: "unknown" }
    case "file": {
      const [, key, start, end] = /^([^:]*)(?::(\d{1,9})(?:-(\d{1,9}))?)?$/.exec(rest) ?? []
      if (key === undefined || !isKey(key)) return { view: "unknown" }
      const first = start === undefined ? null : Number(start)
      return { view, key, start: first, end: end === undefined ? first : Math.max(Number(end), first ?? 0) }
    }
    case "learnings":
      return { view }
    case "search":
      return { view, query: decoded(rest) }
    default:
      return { view: "unknown" }
  }
}

function whole(text: string | undefined): number {
  return text && /^\d{1,7}$/.test(text) ? Number(text) : 0
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Addresses of everything that can be linked to. */
export const to = {
  timeline: (page = 0, month?: string) => `#/timeline/${page}${month ? ":" + month : ""}`,
  sessions: (page = 0) => `#/sessions/${page}`,
  session: (key: string) => `#/session/${key}`,
  exchange: (key: string) => `#/exchange/${key}`,
  commit: (sha: string) => `#/commit/${sha}`,
  file: (key: string, start?: number, end?: number) =>
    `#/file/${key}${start ? `:${start}${end && end !== start ? `-${end}` : ""}` : ""}`,
  map: (key = "_root") => (key === "_root" ? "#/map" : `#/map/${key}`),
  learnings: () => "#/learnings",
  learning: (key: string) => `#/learning/${key}`,
  search: (query: string) => `#/search/${encodeURIComponent(query)}`,
}
