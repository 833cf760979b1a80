// The timeline: commits and conversations by day, and a histogram of months to move through.

import { useEffect, useState } from "preact/hooks"
import type { Entry, Overview, Timeline } from "../api"
import { count, longDay, many, monthName, monthsFrom } from "../format"
import { useDocument, useMore } from "../load"
import { to } from "../route"
import { Clock, Commands, CommitLink, Empty, ExchangeLink, Head, Note, Pager, SessionLink, SessionMeta, Shown, share } from "../ui"
import { line } from "../text"

export function TimelineView({ page, month }: { page: number; month: string | null }) {
  const overview = useDocument<Overview>("overview")
  const timeline = useDocument<Timeline>(`timeline/${page}`)
  useMore(overview, (value) => value.lines === null)
  return (
    <>
      <Shown loaded={overview} head="Timeline">{(value) => <Summary overview={value} page={page} month={month} />}</Shown>
      <Shown loaded={timeline}>{(value) => <Entries timeline={value} month={month} />}</Shown>
    </>
  )
}

function Summary({ overview, page, month }: { overview: Overview; page: number; month: string | null }) {
  const { counts, lines } = overview
  return (
    <>
      <Head title={overview.repository}>
        <dl class="figures">
          <Figure name="Commits" value={count(counts.commits)} more={`${count(counts.linked_commits)} with a conversation`} href="#entries" />
          <Figure name="Conversations" value={count(counts.sessions)} more={many(counts.exchanges, "exchange")} href={to.sessions()} />
          <Figure name="Learnings" value={count(counts.learnings)} more={counts.skills ? many(counts.skills, "skill") : ""} href={to.learnings()} />
          <Figure name="Lines now" value={lines ? count(lines.total) : count(counts.files) + " files"}
            more={lines ? `${share(lines.known, lines.total)} with a known reason` : "reasons not counted yet"} href={to.map()} />
        </dl>
      </Head>
      {overview.hints.map((hint) => <Note kind="hint"><Commands text={hint} /></Note>)}
      {overview.left_out.length > 0 && (
        <details class="left-out"><summary>What this export leaves out</summary><ul>{overview.left_out.map((text) => <li>{line(text, 400)}</li>)}</ul></details>
      )}
      {overview.months.length > 0 && <Months overview={overview} page={page} month={month} />}
    </>
  )
}

function Figure({ name, value, more, href }: { name: string; value: string; more: string; href: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{href === "#entries" ? <strong>{value}</strong> : <a href={href}>{value}</a>}<span class="muted">{more}</span></dd>
    </div>
  )
}

/** One bar a month, linked commits darker; the months are links, of which one is in the tab order. */
function Months({ overview, page, month }: { overview: Overview; page: number; month: string | null }) {
  const months = overview.months
  const most = Math.max(1, ...months.map((one) => one.commits))
  const mostSessions = Math.max(1, ...months.map((one) => one.sessions))
  const here = month ?? months.findLast((one) => one.page <= page)?.month ?? months.at(-1)!.month
  const known = new Map(months.map((one) => [one.month, one]))
  const axis = monthsFrom(months[0]!.month, months.at(-1)!.month)
  const [focus, setFocus] = useState(here)
  useEffect(() => setFocus(here), [here])
  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -months.length, End: months.length }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const at = months.findIndex((one) => one.month === focus)
    const next = months[Math.max(0, Math.min(months.length - 1, at + step))]!
    setFocus(next.month)
    const links = (event.currentTarget as Element).querySelectorAll("a")
    links[months.indexOf(next)]?.focus()
  }
  return (
    <nav class="months" aria-label="Months">
      <ol onKeyDown={move}>
        {axis.map((name, at) => {
          const one = known.get(name)
          const year = name.endsWith("-01") || at === 0
          const label = axis.length <= 18 ? name : name.slice(0, 4)
          const about = { class: year || axis.length <= 18 ? "year" : "", "data-year": label }
          if (!one) return <li {...about} />
          const said = `${monthName(one.month)}: ${many(one.commits, "commit")}, ${one.linked} with a conversation; ${many(one.sessions, "conversation")}`
          return (
            <li {...about}>
              <a href={to.timeline(one.page, one.month)} title={said} aria-label={said} tabIndex={one.month === focus ? 0 : -1}
                aria-current={one.month === here ? "true" : undefined}>
                <svg viewBox="0 0 10 60" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="all" x="1" width="8" y={40 - height(one.commits, most, 38)} height={height(one.commits, most, 38)} />
                  <rect class="linked" x="1" width="8" y={40 - height(one.linked, most, 38)} height={height(one.linked, most, 38)} />
                  <rect class="talks" x="1" width="8" y="42" height={height(one.sessions, mostSessions, 16)} />
                </svg>
              </a>
            </li>
          )
        })}
      </ol>
      <p class="legend">
        <span class="pair"><span class="key all" /> commits</span> <span class="pair"><span class="key linked" /> of which with a conversation</span> <span class="pair"><span class="key talks" /> conversations</span>
      </p>
      <label class="jump">Go to{" "}
        <select value={here} onChange={(event) => {
          const wanted = months.find((one) => one.month === event.currentTarget.value)
          if (wanted) location.hash = to.timeline(wanted.page, wanted.month)
        }}>
          {months.toReversed().map((one) => <option value={one.month}>{monthName(one.month)}</option>)}
        </select>
      </label>
    </nav>
  )
}

function height(part: number, most: number, field: number): number {
  return part === 0 ? 0 : Math.max(1, (part / most) * field)
}

type Wanted = "all" | "commit" | "session" | "linked"

function Entries({ timeline, month }: { timeline: Timeline; month: string | null }) {
  const [wanted, setWanted] = useState<Wanted>("all")
  useEffect(() => {
    if (month) document.querySelector(`[data-month="${month}"]`)?.scrollIntoView({ block: "start" })
  }, [month, timeline])
  const entries = timeline.entries.filter((entry) =>
    wanted === "all" || wanted === entry.type || (wanted === "linked" && entry.type === "commit" && entry.linked > 0))
  const days = new Map<string, Entry[]>()
  for (const entry of entries) {
    const date = (entry.type === "commit" ? entry.date : entry.start ?? entry.end)?.slice(0, 10) ?? "unknown"
    const known = days.get(date)
    if (known) known.push(entry)
    else days.set(date, [entry])
  }
  let monthBefore = ""
  return (
    <section id="entries" aria-label="Timeline">
      <div class="tools">
        <label>Show{" "}
          <select value={wanted} onChange={(event) => setWanted(event.currentTarget.value as Wanted)}>
            <option value="all">everything</option>
            <option value="commit">commits</option>
            <option value="linked">commits with a conversation</option>
            <option value="session">conversations</option>
          </select>
        </label>
        <Pager page={timeline.page} pages={timeline.pages} at={to.timeline} noun="the timeline" />
      </div>
      {timeline.entries.length === 0 && <Empty>Nothing has happened here yet.</Empty>}
      {timeline.entries.length > 0 && entries.length === 0 && <Empty>None on this page.</Empty>}
      {[...days].map(([date, found]) => {
        const first = date.slice(0, 7) !== monthBefore
        monthBefore = date.slice(0, 7)
        return (
          <section class="day" data-month={first ? monthBefore : undefined}>
            <h2>{longDay(date)}</h2>
            <ol class="entries">{found.map((entry) => <One entry={entry} />)}</ol>
          </section>
        )
      })}
      <Pager page={timeline.page} pages={timeline.pages} at={to.timeline} noun="the timeline, again" />
    </section>
  )
}

function One({ entry }: { entry: Entry }) {
  if (entry.type === "session")
    return (
      <li class="entry session">
        <span class="sort">Conversation</span>
        <div><SessionLink session={entry} item /><SessionMeta session={entry} clock /></div>
      </li>
    )
  return (
    <li class={`entry commit ${entry.merge ? "merge" : ""}`}>
      <span class="sort">{entry.merge ? "Merge" : "Commit"}</span>
      <div>
        <CommitLink commit={entry} item />
        <span class="meta">
          <Clock at={entry.date} /> · <bdi>{line(entry.author, 60)}</bdi>
          {entry.added !== null && entry.added > 0 && ` · ${many(entry.added, "line")} added`}
          {entry.linked > 0 && `, ${count(entry.linked)} with a known conversation`}
        </span>
        {entry.exchanges.length > 0 && (
          <ul class="from">
            {entry.exchanges.slice(0, 3).map((exchange) => <li><ExchangeLink exchange={exchange} /></li>)}
            {entry.exchanges.length > 3 && <li class="muted"><a href={to.commit(entry.sha)}>and {entry.exchanges.length - 3} more</a></li>}
          </ul>
        )}
      </div>
    </li>
  )
}

