// The map of code areas: how much of each is known by its reasons. A treemap to look at, a table to read.

import { useState } from "preact/hooks"
import type { Area } from "../api"
import { count, many, percent } from "../format"
import { useDocument, useMore } from "../load"
import { to } from "../route"
import { line } from "../text"
import { squarify } from "../treemap"
import { Bar, Empty, Head, Note, Shown } from "../ui"
import { Crumbs } from "./file"

type Child = Area["children"][number]
type Order = "lines" | "known" | "unknown" | "exchanges" | "name"

export function MapView({ id }: { id: string }) {
  const loaded = useDocument<Area>(`map/${id}`)
  useMore(loaded, (area) => !area.complete)
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
        <p>{count(area.known)} of {many(area.lines, "line")} ({percent(area.known, area.lines)}) come from an exchange that is known.
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
/** A folder is drawn with its content from this share of the whole field on. */
const INSIDE = 0.1
const DEEPEST = 5
const RATIO = 2.4

function Field({ area }: { area: Area }) {
  return (
    <figure class="treemap">
      <div class="treemap-field"><Boxes children={area.children} ratio={RATIO} share={1} depth={0} /></div>
      <figcaption class="legend">
        Size: lines. Colour: lines whose exchange is known:{" "}
        {["none", "<20 %", "<40 %", "<60 %", "<80 %", "80 % and more"].map((text, i) => <span class="pair"><span class={`key grade${i}`} /> {text} </span>)}
        {area.children.length > MOST && <>The {MOST} largest are drawn; the table has all.</>}
      </figcaption>
    </figure>
  )
}

function Boxes({ children, ratio, share, depth }: { children: Child[]; ratio: number; share: number; depth: number }) {
  const sized = children.filter((child) => child.lines > 0).sort((a, b) => b.lines - a.lines).slice(0, MOST)
  const boxes = squarify(sized.map((child) => child.lines), ratio)
  return (
    <>
      {sized.map((child, i) => {
        const box = boxes[i]!
        const part = (share * box.width * box.height) / 10000
        const place = { left: `${box.x}%`, top: `${box.y}%`, width: `${box.width}%`, height: `${box.height}%` }
        const said = `${name(child)}: ${many(child.lines, "line")}, ${percent(child.known, child.lines)} known`
        const inside = child.folder && part >= INSIDE && depth < DEEPEST
        const label = inside || part > 0.006
          ? <><bdi>{name(child)}</bdi> {(inside || part > 0.012) && <small>{percent(child.known, child.lines)}</small>}<span class="hidden">{said.slice(name(child).length)}</span></> : null
        if (!inside) return <a class={`area grade${grade(child.known, child.lines)}`} href={at(child)} title={said} aria-label={label ? undefined : said} style={place}>{label}</a>
        return (
          <div class="area folder" style={place}>
            <a class={`label grade${grade(child.known, child.lines)}`} href={at(child)} title={said}>{label}</a>
            <div class="inside"><Inside child={child} ratio={(ratio * box.width) / box.height} share={part} depth={depth + 1} /></div>
          </div>
        )
      })}
    </>
  )
}

function Inside({ child, ratio, share, depth }: { child: Child; ratio: number; share: number; depth: number }) {
  const loaded = useDocument<Area>(`map/${child.file.key}`)
  return loaded.value ? <Boxes children={loaded.value.children} ratio={ratio} share={share} depth={depth} /> : null
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
      <div class="wide" tabIndex={0} role="group" aria-label="Areas as a table">
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
