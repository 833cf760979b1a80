// Pieces that several views are made of: links to things of the memory, states of loading, bars, pages.

import type { ComponentChildren, JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import { useColours } from "./colours"
import type { CommitRef, ExchangeRef, FileRef, LearningRef, Place, SessionRef } from "./api"
import { count, day, hue, many, minute, percent, short } from "./format"
import type { Failed, Loaded } from "./load"
import { to } from "./route"
import { line, shown } from "./text"
import { tokens } from "./tokens"

type Children = { children?: ComponentChildren }

/** Known agents have a colour of their own; others get one by their name. */
export function agentClass(agent: string): string {
  const known = ["claude", "codex", "cursor", "gemini", "copilot", "aider", "opencode", "windsurf"]
  const at = known.findIndex((name) => agent.toLowerCase().includes(name))
  return `h${at >= 0 ? at : hue(agent, 8)}`
}

/** Has what is named been brought into this clone? */
export const isHere = (exchange: ExchangeRef): boolean => exchange.n > 0

export function ExchangeLink({ exchange, label, item }: { exchange: ExchangeRef; label?: string; item?: boolean }) {
  const text = label ?? line(exchange.title, 120)
  if (!isHere(exchange)) return <span class="muted" title="Not in this clone">{text || "(a conversation that is not here)"}</span>
  return (
    <a class="exchange-link" href={to.exchange(exchange.key)} data-item={item}>
      <span class={`dot ${agentClass(exchange.agent)}`} aria-hidden="true" />
      <bdi>{text || "(no text)"}</bdi>
    </a>
  )
}

export function ExchangeMeta({ exchange }: { exchange: ExchangeRef }) {
  return (
    <span class="meta">
      {line(exchange.agent, 40)} · no. {exchange.n} · <Time at={exchange.time} />
    </span>
  )
}

export function CommitLink({ commit, item }: { commit: CommitRef; item?: boolean }) {
  return (
    <a class="commit-link" href={to.commit(commit.sha)} data-item={item}>
      <code>{short(commit.sha)}</code> <bdi>{line(commit.subject) || "(no subject)"}</bdi>
    </a>
  )
}

export function CommitMeta({ commit }: { commit: CommitRef }) {
  return <span class="meta"><bdi>{line(commit.author, 60)}</bdi> · <Time at={commit.date} /></span>
}

export function SessionLink({ session, item }: { session: SessionRef; item?: boolean }) {
  return (
    <a class="session-link" href={to.session(session.key)} data-item={item}>
      <span class={`dot ${agentClass(session.agent)}`} aria-hidden="true" />
      <bdi>{line(session.title) || "(no title)"}</bdi>
    </a>
  )
}

export function SessionMeta({ session, clock }: { session: SessionRef; clock?: boolean }) {
  return (
    <span class="meta">
      {clock && <><Clock at={session.start} /> · </>}{line(session.agent, 40)}{!clock && <> · <Time at={session.start} /></>} · {many(session.exchanges, "exchange")}
      {session.commits > 0 && ` · ${many(session.commits, "commit")}`}
      {session.lines_linked > 0 && <> · <Lives linked={session.lines_linked} alive={session.lines_alive} /></>}
    </span>
  )
}

export function FileLink({ file, start, end, item }: { file: FileRef; start?: number; end?: number; item?: boolean }) {
  const lines = start ? `:${start}${end && end !== start ? `-${end}` : ""}` : ""
  return <a class="path" href={to.file(file.key, start, end)} data-item={item}><bdi>{line(file.path, 400)}</bdi>{lines}</a>
}

export function PlaceLink({ place }: { place: Place }) {
  return <FileLink file={place} start={place.start} end={place.end} />
}

export function LearningLink({ learning, item }: { learning: LearningRef; item?: boolean }) {
  return (
    <a class="learning-link" href={to.learning(learning.key)} data-item={item}>
      <bdi>{line(learning.title) || line(learning.id)}</bdi>
    </a>
  )
}

export function Badge({ text, kind }: { text: string; kind?: string | undefined }) {
  return <span class={`badge ${kind ?? ""}`}>{line(text, 40)}</span>
}

export function LearningBadges({ learning }: { learning: LearningRef }) {
  return (
    <>
      <Badge text={learning.state} kind={learning.state === "block" || learning.state === "warn" ? "good" : ""} />{" "}
      <Badge text={learning.severity} kind={learning.severity === "error" ? "bad" : ""} />
    </>
  )
}

export function Time({ at }: { at: string | null }) {
  if (!at) return <span>time unknown</span>
  return <time dateTime={at} title={`${minute(at)} UTC`}>{day(at)}</time>
}

/** The time of the day, where the day is told already. */
export function Clock({ at }: { at: string | null }) {
  return at ? <time dateTime={at} title={`${minute(at)} UTC`}>{at.slice(11, 16)}</time> : <span>time unknown</span>
}

/** A line of text, with the commands of this program in it set apart. */
export function Commands({ text }: { text: string }) {
  const parts = line(text, 400).split(/(git skillmesh(?: [a-z-]+)+)/)
  return <>{parts.map((part, at) => (at % 2 ? <code>{part}</code> : part))}</>
}

/** How many lines of code live on, in words and as a bar. */
export function Lives({ linked, alive }: { linked: number; alive: number | null }) {
  if (alive === null) return <span>{many(linked, "line")} linked</span>
  return (
    <span class="lives">
      <Bar part={alive} whole={linked} /> {count(alive)} of {many(linked, "line")} live on
    </span>
  )
}

/** A bar of which `part` is filled; what it says is said in text beside it. */
export function Bar({ part, whole }: { part: number; whole: number }) {
  const share = whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0
  return (
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-whole" width="100" height="8" rx="1" />
      <rect class="bar-part" width={part > 0 ? Math.max(2, share * 100) : 0} height="8" rx="1" />
    </svg>
  )
}

/** Text as it is, with its line breaks; the end of very long text comes on demand. */
export function Plain({ text, most = 20000 }: { text: string; most?: number }) {
  const [all, setAll] = useState(false)
  const cut = !all && text.length > most
  return (
    <>
      <div class="plain" dir="auto">{shown(cut ? text.slice(0, most) : text)}</div>
      {cut && <button type="button" onClick={() => setAll(true)}>Show all {count(text.length)} characters</button>}
    </>
  )
}

/** Text of a program; `language` (or the name of a file) gives it colours. */
export function Code({ text, most = 20000, label, language }: { text: string; most?: number; label: string; language?: string }) {
  const [all, setAll] = useState(false)
  const cut = !all && text.length > most
  return (
    <>
      <Coloured class="code" label={label} language={language ?? ""} text={shown(cut ? text.slice(0, most) : text)} />
      {cut && <button type="button" onClick={() => setAll(true)}>Show all {count(text.length)} characters</button>}
    </>
  )
}

/** Code as it is shown. With a label it may be wider than the page, and can be reached and moved with the keyboard. */
export function Coloured({ text, language, label, class: name }: { text: string; language: string; label?: string; class: string }) {
  const field = useColours<HTMLPreElement>(text, () => tokens(text, language))
  return <pre class={name} ref={field} {...(label ? { tabIndex: 0, role: "group", "aria-label": label } : {})}>{text}</pre>
}

export function Note({ children, kind }: Children & { kind?: "bad" | "hint" }) {
  return <p class={`note ${kind ?? ""}`}>{children}</p>
}

/** Names what is not there, and the command that would bring it. */
export function Empty({ children, command }: Children & { command?: string }) {
  return (
    <div class="empty">
      <p>{children}</p>
      {command && <p><code>{command}</code></p>}
    </div>
  )
}

/** Shows a document, or that it is on its way, or why it did not come; `head` names what a view without it would show. */
export function Shown<T>({ loaded, head, children }: { loaded: Loaded<T>; head?: string; children: (value: T) => JSX.Element }) {
  if (loaded.error)
    return <>{head && <Head title={loaded.error.status === 404 ? "Not here" : "It cannot be shown"} kind={head} />}<Broken error={loaded.error} again={loaded.again} /></>
  if (loaded.value === null) return <p class="loading" role="status">Loading …</p>
  return children(loaded.value)
}

export function Broken({ error, again }: { error: Failed; again: () => void }) {
  return (
    <div class="note bad" role="alert">
      <p><Commands text={error.message} /></p>
      {error.status === 404 ? <p class="meta">It may be in another clone, or not be there any more.</p> : <button type="button" onClick={again}>Try again</button>}
    </div>
  )
}

export function Pager({ page, pages, at, noun }: { page: number; pages: number; at: (page: number) => string; noun: string }) {
  if (pages <= 1) return null
  return (
    <nav class="pager" aria-label={`Pages of ${noun}`}>
      {page > 0 ? <a href={at(page - 1)} rel="prev" data-turn="newer">← Newer</a> : <span class="muted">← Newer</span>}
      <span>Page {count(page + 1)} of {count(pages)}</span>
      {page < pages - 1 ? <a href={at(page + 1)} rel="next" data-turn="older">Older →</a> : <span class="muted">Older →</span>}
    </nav>
  )
}

/** A list of which a part is shown first. */
export function More<T>({ items, first = 12, children }: { items: T[]; first?: number; children: (item: T, at: number) => JSX.Element }) {
  const [shownCount, setShown] = useState(first)
  const left = items.length - shownCount
  return (
    <>
      <ul class="rows">{items.slice(0, shownCount).map(children)}</ul>
      {left > 0 && <button type="button" onClick={() => setShown(shownCount + Math.max(200, first))}>Show {count(Math.min(left, 200))} more{left > 200 && ` of ${count(left)}`}</button>}
    </>
  )
}

/** The heading of a view: says in the window's title what is shown. */
export function Head({ title, children, kind }: Children & { title: string; kind?: string }) {
  useEffect(() => { document.title = `${line(title, 80)} · git skillmesh` }, [title])
  return (
    <header class="view-head">
      {kind && <p class="kind">{kind}</p>}
      <h1 tabIndex={-1}><bdi>{line(title, 400)}</bdi></h1>
      {children}
    </header>
  )
}

export function Section({ title, children, id }: Children & { title: string; id?: string }) {
  return <section id={id}><h2>{title}</h2>{children}</section>
}

/** A change of one file: folded or open, with a way to the file as it is now. */
export function Change({ file, meta, open, children }: Children & { file: FileRef; meta: JSX.Element; open: boolean }) {
  return (
    <div class="edit">
      <a class="now" href={to.file(file.key)} data-item>Open file<span class="hidden"> {line(file.path, 400)}</span></a>
      <details open={open}>
        <summary><span class="path"><bdi>{line(file.path, 400)}</bdi></span> <span class="meta">{meta}</span></summary>
        {children}
      </details>
    </div>
  )
}

export function share(part: number, whole: number): string {
  return `${count(part)} of ${count(whole)} (${percent(part, whole)})`
}
