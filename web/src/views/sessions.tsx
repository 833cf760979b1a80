// The list of conversations, newest first.

import { useState } from "preact/hooks"
import type { Overview, SessionRef, Sessions } from "../api"
import { many } from "../format"
import { useDocument } from "../load"
import { to } from "../route"
import { line, words } from "../text"
import { Empty, Head, Pager, SessionLink, SessionMeta, Shown } from "../ui"

export function SessionsView({ page }: { page: number }) {
  const sessions = useDocument<Sessions>(`sessions/${page}`)
  const overview = useDocument<Overview>("overview")
  return (
    <>
      <Head title="Conversations">
        {overview.value && (
          <p class="meta">
            {many(overview.value.counts.sessions, "conversation")}, {many(overview.value.counts.exchanges, "exchange")}
            {overview.value.agents.map((one) => <> · {line(one.agent, 40)} {one.exchanges}</>)}
          </p>
        )}
      </Head>
      <Shown loaded={sessions}>{(value) => <List sessions={value} />}</Shown>
    </>
  )
}

function List({ sessions }: { sessions: Sessions }) {
  const [filter, setFilter] = useState("")
  const wanted = words(filter)
  const found = sessions.sessions.filter((one) => {
    const text = `${one.title} ${one.agent}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
  if (sessions.sessions.length === 0 && sessions.pages <= 1)
    return <Empty command="git skillmesh import claude">No conversations yet. Bring in those of your agent:</Empty>
  return (
    <>
      <div class="tools">
        <label>Only with{" "}
          <input type="text" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} placeholder="words of the title" autocomplete="off" />
        </label>
        <Pager page={sessions.page} pages={sessions.pages} at={to.sessions} noun="conversations" />
      </div>
      {found.length === 0 && <Empty>None on this page.</Empty>}
      <SessionRows sessions={found} />
      <Pager page={sessions.page} pages={sessions.pages} at={to.sessions} noun="conversations, again" />
    </>
  )
}

export function SessionRows({ sessions }: { sessions: SessionRef[] }) {
  return (
    <ul class="rows">
      {sessions.map((one) => (
        <li>
          <SessionLink session={one} item />
          <SessionMeta session={one} />
        </li>
      ))}
    </ul>
  )
}
