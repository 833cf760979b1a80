// Keys: in, what is pressed; out, a step through the items of the view, another view, or the help.

import { kept } from "./theme"

export const KEYS: [string, string][] = [
  ["/", "search"],
  ["j  k", "next, previous item"],
  ["Enter", "open the item"],
  ["[  ]", "newer, older page; exchange before, after"],
  ["u", "up: folder, conversation, list"],
  ["g t", "timeline"],
  ["g c", "conversations"],
  ["g m", "code map"],
  ["g l", "learnings"],
  ["d", "light, dark, as the system"],
  ["?", "this help"],
  ["Esc", "close; leave the search"],
]

const PLACES: Record<string, string> = { t: "#/timeline/0", c: "#/sessions/0", m: "#/map", l: "#/learnings" }

let before = ""
let beforeAt = 0

/** Is somebody writing? */
function writing(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input:not([type=checkbox]), select, textarea") !== null
}

/** Handles a key; `help` and `theme` are what "?" and "d" do. */
export function pressed(event: KeyboardEvent, help: () => void, theme: () => void): void {
  const search = document.getElementById("search") as HTMLInputElement | null
  if (event.target === search && search) return inSearch(event, search)
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || document.querySelector("dialog[open]")) return
  if (kept("keys") === "off") return
  const key = event.key
  const after = before === "g" && event.timeStamp - beforeAt < 1500 ? PLACES[key] : undefined
  before = key
  beforeAt = event.timeStamp
  if (after) location.hash = after
  else if (key === "/") search?.focus()
  else if (key === "?") help()
  else if (key === "d") theme()
  else if (key === "j" || key === "k") step(key === "j" ? 1 : -1)
  else if (key === "[" || key === "]") document.querySelector<HTMLElement>(`main [data-turn=${key === "[" ? "newer" : "older"}]`)?.click()
  else if (key === "u") document.querySelector<HTMLElement>("main [data-up]:not([data-up=false])")?.click()
  else return
  event.preventDefault()
}

function inSearch(event: KeyboardEvent, search: HTMLInputElement): void {
  const results = document.querySelectorAll<HTMLElement>("main .found a")
  if (event.key === "Escape") search.blur()
  else if (event.key === "ArrowDown" && results.length > 0) {
    results[0]!.focus()
    event.preventDefault()
  }
}

/** Moves the focus to the next or previous item of the view; without one, to what is in the window. */
function step(by: 1 | -1): void {
  const items = [...document.querySelectorAll<HTMLElement>("main [data-item]:not([data-item=false]), main .found a")].filter((item) => item.offsetParent !== null)
  if (items.length === 0) return
  const now = document.activeElement instanceof HTMLElement ? items.indexOf(document.activeElement) : -1
  const next = now >= 0 ? now + by : items.findIndex((item) => item.getBoundingClientRect().top > 60)
  const item = items[Math.max(0, Math.min(items.length - 1, next))]!
  item.focus({ preventScroll: true })
  item.scrollIntoView({ block: "nearest" })
}
