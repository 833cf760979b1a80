// A conversation as a page to read: its prompts in order; each answer comes when it is opened.

import { useState } from "preact/hooks"
import type { Exchange, Session } from "../api"
import { count, many, minute } from "../format"
import { useDocument } from "../load"
import { to } from "../route"
import { line } from "../text"
import { Badge, CommitLink, Empty, FileLink, Head, Lives, More, Note, Plain, Shown, isHere } from "../ui"
import { SessionRows } from "./sessions"
import { Answer } from "./exchange"

export function SessionView({ id }: { id: string }) {
  const loaded = useDocument<Session>(`session/${id}`)
  return <Shown loaded={loaded} head="Conversation">{(value) => <Talk talk={value} key={id} />}</Shown>
}

function Talk({ talk }: { talk: Session }) {
  const { session, exchanges } = talk
  const [open, setOpen] = useState(false)
  const [most, setMost] = useState(60)
  return (
    <article>
      <Head title={session.title} kind="Conversation">
        <dl class="facts">
          <div><dt>Agent</dt><dd>{line(session.agent, 60)}{session.model && ` (${line(session.model, 60)})`}</dd></div>
          <div><dt>When</dt><dd>{minute(session.start)} to {minute(session.end)} UTC</dd></div>
          <div><dt>Code</dt><dd>{session.lines_linked > 0 ? <Lives linked={session.lines_linked} alive={session.lines_alive} /> : "no lines linked"}</dd></div>
          {talk.origin && <div><dt>From</dt><dd>{line(talk.origin, 200)}</dd></div>}
          <div><dt>Id</dt><dd><code>{line(session.id, 200)}</code></dd></div>
        </dl>
      </Head>
      {talk.children.length > 0 && (
        <details><summary>{many(talk.children.length, "conversation")} of agents that it started</summary><SessionRows sessions={talk.children} /></details>
      )}
      {session.parent && <Note>Started by <a href={to.session(session.parent)}>another conversation</a>.</Note>}
      {exchanges.length === 0 && <Empty>This conversation holds no exchange.</Empty>}
      {exchanges.length > 0 && (
        <div class="tools">
          <span class="muted">{many(exchanges.length, "exchange")}</span>
          <button type="button" aria-pressed={open} onClick={() => setOpen(!open)}>{open ? "Close all answers" : "Open all answers"}</button>
        </div>
      )}
      <ol class="talk">
        {exchanges.slice(0, most).map((one) => <Turn one={one} open={open} key={one.ref.key + open} />)}
      </ol>
      {exchanges.length > most && <button type="button" onClick={() => setMost(most + 200)}>Show more of {count(exchanges.length - most)}</button>}
    </article>
  )
}

function Turn({ one, open }: { one: Session["exchanges"][number]; open: boolean }) {
  const [reading, setReading] = useState(open)
  return (
    <li class="turn">
      <header>
        <a href={to.exchange(one.ref.key)} data-item class="number">Exchange {one.ref.n}</a>
        <span class="meta">
          {minute(one.ref.time)}
          {one.tools && <> · <code>{line(one.tools, 160)}</code></>}
          {one.kind && one.kind !== "unknown" && <> · <Badge text={one.kind} /></>}
        </span>
      </header>
      <div class="prompt"><Plain text={one.prompt} most={4000} />{one.prompt_cut && !reading && <p class="muted">… <a href={to.exchange(one.ref.key)}>the whole prompt</a></p>}</div>
      {(one.files.length > 0 || one.commits.length > 0) && (
        <div class="went">
          {one.commits.length > 0 && <More items={one.commits} first={3}>{(commit) => <li><CommitLink commit={commit} /></li>}</More>}
          {one.lines_linked > 0 && <p class="meta"><Lives linked={one.lines_linked} alive={one.lines_alive} /></p>}
          {one.files.length > 0 && <p class="meta">Touched {one.files.slice(0, 4).map((file, at) => <>{at > 0 && ", "}<FileLink file={file} /></>)}{one.files.length > 4 && ` and ${one.files.length - 4} more`}</p>}
        </div>
      )}
      {isHere(one.ref) && (
        <details class="answer" open={reading} onToggle={(event) => setReading(event.currentTarget.open)}>
          <summary>Answer</summary>
          {reading && <Lazy id={one.ref.key} />}
        </details>
      )}
    </li>
  )
}

function Lazy({ id }: { id: string }) {
  const loaded = useDocument<Exchange>(`exchange/${id}`)
  return <Shown loaded={loaded}>{(value) => <Answer exchange={value} />}</Shown>
}

