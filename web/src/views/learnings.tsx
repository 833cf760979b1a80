// The list of learnings.

import { useState } from "preact/hooks"
import type { Learnings } from "../api"
import { count, many } from "../format"
import { useDocument } from "../load"
import { line, words } from "../text"
import { Badge, Empty, ExchangeLink, Head, LearningBadges, LearningLink, Note, Shown } from "../ui"

export function LearningsView() {
  const loaded = useDocument<Learnings>("learnings")
  return (
    <>
      <Head title="Learnings" />
      <Shown loaded={loaded}>{(value) => <List found={value} />}</Shown>
    </>
  )
}

function List({ found }: { found: Learnings }) {
  const [filter, setFilter] = useState("")
  const [state, setState] = useState("")
  const [most, setMost] = useState(200)
  const states = [...new Set(found.learnings.map((one) => one.state))].sort()
  const wanted = words(filter)
  const rows = found.learnings.filter((one) => {
    const text = `${one.title} ${one.id} ${one.category ?? ""} ${one.tags.join(" ")}`.toLowerCase()
    return (state === "" || one.state === state) && wanted.every((word) => text.includes(word))
  })
  return (
    <>
      {found.problems.map((problem) => <Note kind="bad">{line(problem, 400)}</Note>)}
      {found.learnings.length === 0
        ? <Empty command="git skillmesh analyze">No learnings yet. Look for candidates in the conversations:</Empty>
        : (
          <>
            <div class="tools">
              <label>Only with{" "}<input type="text" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} placeholder="words, tags" autocomplete="off" /></label>
              <label>State{" "}
                <select value={state} onChange={(event) => setState(event.currentTarget.value)}>
                  <option value="">any</option>
                  {states.map((one) => <option value={one}>{line(one, 40)}</option>)}
                </select>
              </label>
              <span class="muted" role="status">{many(rows.length, "learning")}</span>
            </div>
            <ul class="rows">
              {rows.slice(0, most).map((one) => (
                <li>
                  <LearningLink learning={one} item /> <LearningBadges learning={one} />
                  <span class="meta">
                    <code>{line(one.id, 80)}</code>
                    {one.category && ` · ${line(one.category, 40)}`}
                    {one.findings !== null && ` · fired ${many(one.findings, "time")}`}
                    {one.tags.length > 0 && <> · {one.tags.slice(0, 6).map((tag) => <><Badge text={tag} /> </>)}</>}
                    {one.origin && <> · from <ExchangeLink exchange={one.origin} /></>}
                  </span>
                </li>
              ))}
            </ul>
            {rows.length > most && <button type="button" onClick={() => setMost(most + 500)}>Show more of {count(rows.length - most)}</button>}
          </>
        )}
    </>
  )
}
