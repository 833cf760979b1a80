// The page: reads the address, shows the view, keeps the frame around it.

import "./style.css"
import { render } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import type { Overview } from "./api"
import { colourAll } from "./colours"
import { KEYS, pressed } from "./keys"
import { exported, forget, fromServer, load, receive, useDocument } from "./load"
import { parse, to, type Route } from "./route"
import { keep, kept, themeNow, wear, type Theme } from "./theme"
import { line } from "./text"
import { Empty, Head } from "./ui"
import { CommitView } from "./views/commit"
import { ExchangeView } from "./views/exchange"
import { FileView } from "./views/file"
import { LearningView } from "./views/learning"
import { LearningsView } from "./views/learnings"
import { MapView } from "./views/map"
import { SearchView } from "./views/search"
import { SessionView } from "./views/session"
import { SessionsView } from "./views/sessions"
import { TimelineView } from "./views/timeline"
import { follow } from "./scroll"

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "timeline": return <TimelineView page={route.page} month={route.month} />
    case "sessions": return <SessionsView page={route.page} />
    case "session": return <SessionView id={route.key} />
    case "exchange": return <ExchangeView id={route.key} />
    case "commit": return <CommitView sha={route.key} />
    case "file": return <FileView id={route.key} start={route.start} end={route.end} />
    case "map": return <MapView id={route.key} />
    case "learnings": return <LearningsView />
    case "learning": return <LearningView id={route.key} />
    case "search": return <SearchView query={route.query} />
    case "unknown": return <><Head title="Nothing here" /><Empty>This address names nothing. <a href={to.timeline()}>To the timeline</a></Empty></>
  }
}

const TABS: [string, string, Route["view"][]][] = [
  ["Timeline", to.timeline(), ["timeline", "commit"]],
  ["Conversations", to.sessions(), ["sessions", "session", "exchange"]],
  ["Code map", to.map(), ["map", "file"]],
  ["Learnings", to.learnings(), ["learnings", "learning"]],
]

function App() {
  const [hash, setHash] = useState(location.hash)
  const [theme, setTheme] = useState<Theme>(themeNow())
  const [changed, setChanged] = useState(0)
  const help = useRef<HTMLDialogElement>(null)
  const route = parse(hash)
  const turn = () => setTheme((now) => (now === "system" ? "dark" : now === "dark" ? "light" : "system"))
  useLayoutEffect(() => {
    wear(theme)
    keep("theme", theme)
  }, [theme])
  useEffect(() => follow(() => setHash(location.hash)), [])
  useEffect(() => {
    const key = (event: KeyboardEvent) => pressed(event, () => help.current?.showModal(), turn)
    addEventListener("keydown", key)
    return () => removeEventListener("keydown", key)
  }, [])
  useEffect(opened, [])
  const title = `${route.view} ${"key" in route ? route.key : "page" in route ? route.page : ""}`
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus() }}>To the content</a>
      <header class="top">
        <a class="home" href={to.timeline()}><Name /></a>
        <nav aria-label="Views">
          {TABS.map(([name, address, views]) => <a href={address} aria-current={views.includes(route.view) ? "page" : undefined}>{name}</a>)}
        </nav>
        <Search query={route.view === "search" ? route.query : ""} />
        <div class="buttons">
          <button type="button" class="quiet" onClick={turn} title="Light, dark, or as the system is (d)">
            <span aria-hidden="true">{theme === "system" ? "◐" : theme === "dark" ? "●" : "○"}</span><span class="hidden">Colours: {theme}</span>
          </button>
          <button type="button" class="quiet" onClick={() => help.current?.showModal()} title="Help (?)"><span aria-hidden="true">?</span><span class="hidden">Help</span></button>
        </div>
      </header>
      <Fresh again={() => setChanged(changed + 1)} />
      <main id="main" tabIndex={-1} class={`view-${route.view}`} key={`${title} ${changed}`}><View route={route} /></main>
      <Help dialog={help} />
    </>
  )
}

function Name() {
  const overview = useDocument<Overview>("overview")
  useEffect(() => {
    // The view names the window; this is for the time before it is there.
    if (overview.value && document.title === "git skillmesh") document.title = `${line(overview.value.repository, 60)} · git skillmesh`
  }, [overview.value])
  return <><span class="mark" aria-hidden="true" /><bdi>{overview.value ? line(overview.value.repository, 40) : "git skillmesh"}</bdi></>
}

function Search({ query }: { query: string }) {
  const [text, setText] = useState(query)
  useEffect(() => {
    if (document.activeElement?.id !== "search") setText(query)
  }, [query])
  const go = (words: string) => {
    setText(words)
    const address = to.search(words)
    // While somebody writes, the address changes in place: "back" leaves the search in one step.
    if (location.hash.startsWith("#/search")) {
      history.replaceState(history.state, "", address)
      dispatchEvent(new Event("hashchange"))
    } else if (words.trim() !== "") location.hash = address
  }
  return (
    <form role="search" onSubmit={(event) => {
      event.preventDefault()
      if (text.trim() !== "" && !location.hash.startsWith("#/search")) go(text)
      else document.querySelector<HTMLElement>("main .found a")?.focus()
    }}>
      <label class="hidden" for="search">Search everything</label>
      <input id="search" type="search" value={text} placeholder="Search everything  ( / )" autocomplete="off" spellcheck={false} maxLength={400}
        onInput={(event) => go(event.currentTarget.value)} />
    </form>
  )
}

/** Looks whether the repository has changed, whenever somebody comes back to the page. */
function Fresh({ again }: { again: () => void }) {
  const [stale, setStale] = useState(false)
  useEffect(() => {
    if (exported()) return undefined
    const look = async () => {
      if (document.visibilityState !== "visible") return
      try {
        const [old, now] = await Promise.all([load<Overview>("overview"), fromServer<Overview>("api/overview.json")])
        if (old.state !== now.state) setStale(true)
      } catch {
        // The next document that is asked for says what is wrong.
      }
    }
    document.addEventListener("visibilitychange", look)
    return () => document.removeEventListener("visibilitychange", look)
  }, [])
  if (!stale) return null
  return (
    <p class="note hint fresh" role="status">The repository has changed.{" "}
      <button type="button" onClick={() => { forget(); setStale(false); again() }}>Show it as it is now</button></p>
  )
}

function Help({ dialog }: { dialog: { current: HTMLDialogElement | null } }) {
  const [on, setOn] = useState(kept("keys") !== "off")
  return (
    <dialog ref={dialog} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <table>
        <tbody>{KEYS.map(([keys, does]) => <tr><th scope="row">{keys.split(/ +/).map((key) => <><kbd>{key}</kbd> </>)}</th><td>{does}</td></tr>)}</tbody>
      </table>
      <p><label><input type="checkbox" checked={on} onChange={(event) => { setOn(event.currentTarget.checked); keep("keys", event.currentTarget.checked ? "on" : "off") }} /> Single keys do something</label></p>
      <form method="dialog"><button type="submit">Close</button></form>
    </dialog>
  )
}

/** What is folded is printed unfolded, and folded again afterwards; answers that nobody has asked for are not there. */
function opened(): () => void {
  let were: HTMLDetailsElement[] = []
  const before = () => {
    were = [...document.querySelectorAll<HTMLDetailsElement>("main details:not([open]):not(.answer)")]
    for (const one of were) one.open = true
    colourAll()
  }
  const after = () => {
    for (const one of were) one.open = false
  }
  addEventListener("beforeprint", before)
  addEventListener("afterprint", after)
  return () => {
    removeEventListener("beforeprint", before)
    removeEventListener("afterprint", after)
  }
}

wear(themeNow())
receive()
// Ask for what nearly every view needs before the rest of the page is read.
load("overview").catch(() => undefined)
const first = parse(location.hash)
if (first.view === "timeline") load(`timeline/${first.page}`).catch(() => undefined)
addEventListener("DOMContentLoaded", () => {
  document.querySelector("noscript")?.remove()
  render(<App />, document.body)
})
