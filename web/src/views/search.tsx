// Search over everything: the server's answer, or, in an export, titles and paths.

import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { Found, SearchIndex } from "../api"
import { count } from "../format"
import { Failed, exported, fromServer, load } from "../load"
import { pick } from "../search"
import { line, shown } from "../text"
import { Broken, Commands, CommitLink, CommitMeta, Coloured, Empty, ExchangeLink, ExchangeMeta, FileLink, Head, LearningBadges, LearningLink, More, PlaceLink, Section } from "../ui"

const WAIT = 150

export function SearchView({ query }: { query: string }) {
  const [state, setState] = useState<{ query: string; found?: Found; error?: Failed }>({ query: "" })
  const [tries, setTries] = useState(0)
  const asked = query.trim()
  useEffect(() => {
    if (asked === "") return undefined
    const stop = new AbortController()
    const timer = setTimeout(() => {
      answer(asked, stop.signal).then(
        (found) => !stop.signal.aborted && setState({ query: asked, found }),
        (error: unknown) => !stop.signal.aborted && setState({ query: asked, error: error instanceof Failed ? error : new Failed(String(error), 0) }),
      )
    }, WAIT)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [asked, tries])
  return (
    <>
      <Head title={asked ? `Search: ${asked}` : "Search"} />
      {asked === "" ? <Empty>Write words above: what code does, what somebody asked for, a name, a path.</Empty>
        : state.error && state.query === asked ? <Broken error={state.error} again={() => { setState({ query: "" }); setTries(tries + 1) }} />
        : !state.found ? <p class="loading" role="status">Searching …</p>
        : <Results found={state.found} busy={state.query !== asked} />}
    </>
  )
}

async function answer(query: string, signal: AbortSignal): Promise<Found> {
  if (!exported()) return fromServer<Found>(`api/search.json?q=${encodeURIComponent(query)}`, signal)
  return pick(await load<SearchIndex>("search"), query)
}

function Results({ found, busy }: { found: Found; busy: boolean }) {
  const groups: [string, JSX.Element[]][] = [
    ["Code", found.code.map((one) => <li><PlaceLink place={one} />{one.symbol && <> <code>{line(one.symbol, 80)}</code></>}<Excerpt text={one.excerpt} path={one.path} /></li>)],
    ["Exchanges", found.exchanges.map((one) => <li><ExchangeLink exchange={one.ref} /> <ExchangeMeta exchange={one.ref} /><Excerpt text={one.excerpt} /></li>)],
    ["Learnings", found.learnings.map((one) => <li><LearningLink learning={one} /> <LearningBadges learning={one} /></li>)],
    ["Commits", found.commits.map((one) => <li><CommitLink commit={one} /> <CommitMeta commit={one} /></li>)],
    ["Files", found.files.map((one) => <li><FileLink file={one} /></li>)],
    ["Skills", found.skills.map((one) => <li><strong>{line(one.title, 120)}</strong> <code>{line(one.id, 80)}</code><Excerpt text={one.summary} /></li>)],
  ]
  const total = groups.reduce((sum, [, rows]) => sum + rows.length, 0)
  return (
    <div class={busy ? "results busy" : "results"}>
      <div class="groups">
        <p class="meta" role="status">{total === 0 ? "Nothing found." : `${count(total)} found`}</p>
        {groups.map(([title, rows]) => rows.length > 0 && (
          <button type="button" onClick={() => document.getElementById(`found-${title}`)?.scrollIntoView({ block: "start" })}>{title} {count(rows.length)}</button>
        ))}
      </div>
      {found.notes.map((note) => <p class="meta"><Commands text={note} /></p>)}
      {total === 0 && exported() && <Empty>An export searches titles, subjects and paths only. The text of code and answers is searched by <code>git skillmesh explore --serve</code>.</Empty>}
      {total === 0 && !exported() && <Empty>Fewer or other words may help.</Empty>}
      {groups.map(([title, rows]) => rows.length > 0 && <Section title={title} id={`found-${title}`} key={title + found.query}><div class="found"><More items={rows} first={5}>{(row) => row}</More></div></Section>)}
    </div>
  )
}

function Excerpt({ text, path }: { text: string; path?: string }) {
  if (!text.trim()) return null
  if (path !== undefined) return <Coloured class="excerpt" language={path} text={shown(text.slice(0, 2000)).split("\n").slice(0, 5).join("\n")} />
  return <p class="excerpt"><bdi>{line(text, 240)}</bdi></p>
}

