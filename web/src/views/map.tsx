// The map of code areas: how much of each is known by its reasons. A treemap to look at, a table to read.

import { useState } from "preact/hooks"
import type { Area } from "../api"
import { count, many, percent } from "../format"
import { useDocument } from "../load"
import { to } from "../route"
import { line } from "../text"
import { squarify } from "../treemap"
import { Bar, Empty, Head, Note, Shown, share } from "../ui"
import { Crumbs } from "./file"

type Child = Area["children"][number]
type Order = "lines" | "known" | "unknown" | "exchanges" | "name"

export function MapView({ id }: { id: string }) {
  const loaded = useDocument<Area>(`map/${id}`)
  return <Shown loaded={loaded} head="Code map">{(value) => <Page area={value} root={id === "_root"} key={id} />}</Shown>
}

const at = (child: Child): string => (child.folder ? to.map(child.file.key) : to.file(child.file.key))
const name = (child: Child): string => line(child.file.path.split("/").at(-1) ?? child.file.path, 120) + (child.folder ? "/" : "")

/** 0 (nothing known) to 5 (all known). */
function grade(part: number, whole: number): number {
  if (whole === 0 || part === 0) return 0
  return Math.min(5, 1 + Math.floor((part / whole) * 5))
}

function Page({ area, root }: { area: Area; root: boolean }) {
  return (
    <>
      <Head title={root ? "Code map" : area.file.path + "/"} kind={root ? "" : "Folder"}>
        {!root && <p class="meta"><Crumbs path={area.file.path} id={area.file.key} /></p>}
        <p>Of {many(area.lines, "line")}, {share(area.known, area.lines)} come from an exchange that is known.
          {area.exchanges > 0 && <> {many(area.exchanges, "exchange")} left lines here.</>}</p>
      </Head>
      {!area.complete && <Note>Not all is counted yet: lines whose history has not been read count as not known.</Note>}
      {area.children.length === 0 ? <Empty command="git skillmesh index">There are no files here.</Empty> : (
        <>
          <Field area={area} />
          <Table area={area} />
        </>
      )}
    </>
  )
}

const MOST = 60

function Field({ area }: { area: Area }) {
  const sized = area.children.filter((child) => child.lines > 0).sort((a, b) => b.lines - a.lines).slice(0, MOST)
  if (sized.length === 0) return null
  const boxes = squarify(sized.map((child) => child.lines), 2.4)
  return (
    <figure class="treemap">
      <div class="treemap-field">
        {sized.map((child, i) => {
          const box = boxes[i]!
          const said = `${name(child)}: ${many(child.lines, "line")}, ${percent(child.known, child.lines)} known`
          return (
            <a class={`area grade${grade(child.known, child.lines)}`} href={at(child)} title={said} aria-label={said}
              style={{ left: `${box.x}%`, top: `${box.y}%`, width: `${box.width}%`, height: `${box.height}%` }}>
              {box.width > 6 && box.height > 7 && <span aria-hidden="true"><bdi>{name(child)}</bdi>{box.height > 14 && <small>{percent(child.known, child.lines)}</small>}</span>}
            </a>
          )
        })}
      </div>
      <figcaption class="legend">
        Size: lines. Colour: lines whose exchange is known:{" "}
        {["none", "<20 %", "<40 %", "<60 %", "<80 %", "80 % and more"].map((text, i) => <><span class={`key grade${i}`} /> {text} </>)}
        {area.children.length > sized.length && <>The {sized.length} largest are drawn; the table has all.</>}
      </figcaption>
    </figure>
  )
}

function Table({ area }: { area: Area }) {
  const [order, setOrder] = useState<Order>("lines")
  const [most, setMost] = useState(200)
  const rows = area.children.toSorted((a, b) => {
    switch (order) {
      case "name": return name(a) < name(b) ? -1 : 1
      case "known": return b.known / Math.max(1, b.lines) - a.known / Math.max(1, a.lines) || b.lines - a.lines
      case "unknown": return b.lines - b.known - (a.lines - a.known)
      default: return b[order] - a[order] || b.lines - a.lines
    }
  })
  return (
    <>
      <div class="tools">
        <label>Order by{" "}
          <select value={order} onChange={(event) => setOrder(event.currentTarget.value as Order)}>
            <option value="lines">lines</option>
            <option value="unknown">lines not known</option>
            <option value="known">share known</option>
            <option value="exchanges">exchanges</option>
            <option value="name">name</option>
          </select>
        </label>
      </div>
      <div class="wide" tabIndex={0} role="region" aria-label="Areas as a table">
        <table class="areas">
          <thead><tr><th scope="col">Name</th><th scope="col" class="number">Lines</th><th scope="col">Known</th><th scope="col" class="number">Exchanges</th></tr></thead>
          <tbody>
            {rows.slice(0, most).map((child) => (
              <tr>
                <th scope="row"><a class="path" href={at(child)} data-item><bdi>{name(child)}</bdi></a></th>
                <td class="number">{count(child.lines)}</td>
                <td><Bar part={child.known} whole={child.lines} /> {percent(child.known, child.lines)}</td>
                <td class="number">{count(child.exchanges)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > most && <button type="button" onClick={() => setMost(most + 500)}>Show more of {count(rows.length - most)}</button>}
    </>
  )
}
