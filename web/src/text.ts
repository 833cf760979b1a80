// Text of others, made fit to be shown: in, any string; out, one whose every character can be seen.

/** Characters that no one sees, or that change what others look like: controls and bidirectional marks. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** Returns `text` with unseen characters named; tabs and line feeds stay. */
export function shown(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(UNSEEN, (found) => {
    const code = found.charCodeAt(0)
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    if (code === 0x7f) return "\u2421"
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`
  })
}

/** Returns `text` on one line of at most `most` characters, for a title or a label. */
export function line(text: string, most = 200): string {
  const cut = text.length > most * 4 ? text.slice(0, most * 4) : text
  const one = shown(cut.replace(/\s+/g, " ").trim())
  return one.length > most || cut !== text ? one.slice(0, most - 1).trimEnd() + "…" : one
}

/** Returns the words of a search, in small letters. */
export function words(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter((word) => word !== "")
}
