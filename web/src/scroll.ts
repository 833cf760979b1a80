// Where somebody was on each step of the browser's history: new steps begin at the top with the heading in focus,
// "back" returns to the place.

const places = new Map<number, number>()
let last = 0

function here(): number {
  const known = (history.state as { at?: unknown } | null)?.at
  if (typeof known === "number") return known
  const made = ++last
  history.replaceState({ at: made }, "")
  return made
}

/** Calls `changed` when the address has changed. Returns what ends it. */
export function follow(changed: () => void): () => void {
  history.scrollRestoration = "manual"
  last = Math.max(last, Number((history.state as { at?: number } | null)?.at ?? 0))
  let now = here()
  let waiting = 0
  const scrolled = () => {
    if (!waiting) places.set(now, scrollY)
  }
  const moved = () => {
    const before = now
    scrolled()  // the event of the last bit of scrolling may be still to come
    now = here()
    changed()
    if (now === before) return
    const view = location.hash.replace(/:.*$/, "")
    const same = view === viewBefore
    viewBefore = view
    if (!same) settle(places.get(now))
  }
  let viewBefore = location.hash.replace(/:.*$/, "")
  /** Waits until the view is there, then goes to its place. */
  const settle = (place: number | undefined) => {
    const until = performance.now() + 3000
    clearInterval(waiting)
    const look = () => {
      const ready = !document.querySelector("main .loading") && document.querySelector("main h1")
      const reached = place === undefined || document.documentElement.scrollHeight >= place + innerHeight * 0.5
      if (!(ready && reached) && performance.now() < until) return
      clearInterval(waiting)
      waiting = 0
      const marked = document.querySelector("main .marked, main [data-month]")
      if (place !== undefined) scrollTo(0, place)
      else if (!(marked && location.hash.includes(":"))) scrollTo(0, 0)
      places.set(now, scrollY)
      if (document.activeElement === document.body || document.activeElement === null || document.activeElement.closest(".top nav"))
        document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true })
    }
    waiting = window.setInterval(look, 30)
    requestAnimationFrame(look)
  }
  addEventListener("hashchange", moved)
  addEventListener("scroll", scrolled, { passive: true })
  return () => {
    removeEventListener("hashchange", moved)
    removeEventListener("scroll", scrolled)
  }
}
