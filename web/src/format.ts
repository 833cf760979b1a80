// Numbers, times and names as people read them. Times come as ISO 8601 in UTC and are shown so.

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December"]

/** 12345 → "12,345". */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",")
}

/** count and noun: (1, "line") → "1 line", (2, "line") → "2 lines". */
export function many(n: number, noun: string, plural = noun + "s"): string {
  return `${count(n)} ${n === 1 ? noun : plural}`
}

/** "2024-03-01T12:00:00Z" → "2024-03-01 12:00". */
export function minute(time: string | null): string {
  return time ? time.slice(0, 16).replace("T", " ") : "time unknown"
}

/** "2024-03-01T12:00:00Z" → "2024-03-01". */
export function day(time: string | null): string {
  return time ? time.slice(0, 10) : "day unknown"
}

/** "2024-03-01" → "Friday, 1 March 2024". */
export function longDay(date: string): string {
  const at = new Date(date.slice(0, 10) + "T00:00:00Z")
  if (Number.isNaN(at.getTime())) return "Day unknown"
  const names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
  return `${names[at.getUTCDay()]}, ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
}

/** "2024-03" → "March 2024". */
export function monthName(month: string): string {
  const [year, number] = month.split("-")
  return `${MONTHS[Number(number) - 1] ?? "Month unknown"} ${year ?? ""}`.trim()
}

/** All months from the first to the last, "2023-12" and "2024-02" → also "2024-01"; nothing for what is no month. */
export function monthsFrom(first: string, last: string): string[] {
  const number = (month: string) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1
  const found = []
  for (let at = number(first); at <= number(last) && found.length < 1200; at++)
    found.push(`${String(Math.floor(at / 12)).padStart(4, "0")}-${String((at % 12) + 1).padStart(2, "0")}`)
  return found
}

/** The share of `part` in `whole`: "0 %", "<1 %", "42 %"; 100 only when it is all. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return "–"
  const share = (part / whole) * 100
  if (part > 0 && share < 1) return "<1 %"
  return `${part < whole ? Math.min(99, Math.round(share)) : 100} %`
}

/** The first characters of a commit's name. */
export function short(sha: string): string {
  return sha.slice(0, 9)
}

/** A steady number of 0 to `size` - 1 for a text: the same exchange has the same colour everywhere. */
export function hue(text: string, size: number): number {
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  return ((hash ^ (hash >>> 15)) >>> 0) % size
}
