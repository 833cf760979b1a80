// A file as it is now, each line coloured by where it comes from. Lines lie in runs of one origin, so that a
// file of 10,000 lines is a few hundred elements; all of it is in the page, so find and print work.

import type { ComponentChildren } from "preact"
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import type { CommitRef, ExchangeRef, File } from "../api"
import { joined, useColours } from "../colours"
import { count, day, hue, many, percent } from "../format"
import { useDocument, useMore } from "../load"
import { to } from "../route"
import { line, shown } from "../text"
import { isCode, tokensByLine, type Token } from "../tokens"
import { CommitLink, CommitMeta, Empty, Head, LearningBadges, LearningLink, More, Note, Section, Shown, agentClass, isHere } from "../ui"

type Origin = File["origins"][number]
type By = "exchange" | "agent" | "age"

/** Pieces of a run, each with its label, so that one is always in sight. */
const PIECE = 24
/** Height of a line in pixels, as the stylesheet has it. */
const ROW = 20

export function FileView({ id, start, end }: { id: string; start: number | null; end: number | null }) {
  const loaded = useDocument<File>(`file/${id}`)
  useMore(loaded, (file) => !file.complete && !file.binary)
  return <Shown loaded={loaded} head="File">{(value) => <Page file={value} start={start} end={end} key={id} />}</Shown>
}

function Page({ file, start, end }: { file: File; start: number | null; end: number | null }) {
  const [by, setBy] = useState<By>("exchange")
  return (
    <article class="file">
      <Head title={file.file.path} kind="File">
        <p class="meta">
          <Crumbs path={file.file.path} id={file.file.key} />
          {" · "}{many(file.total_lines, "line")}
          {file.language && ` · ${line(file.language, 40)}`}
          {file.commit && <> · last changed in <CommitLink commit={file.commit} /></>}
        </p>
      </Head>
      {file.learnings.length > 0 && (
        <Section title="Learnings for it"><More items={file.learnings} first={3}>{(one) => <li><LearningLink learning={one} item /> <LearningBadges learning={one} /></li>}</More></Section>
      )}
      {!file.complete && file.why_incomplete && <Note>{line(file.why_incomplete, 400)}</Note>}
      {file.binary ? <Empty>This is not a text file.</Empty> : file.lines.length === 0 ? <Empty>This file is empty.</Empty> : (
        <>
          <div class="tools">
            <Legend file={file} by={by} />
            <label>Colour by{" "}
              <select value={by} onChange={(event) => setBy(event.currentTarget.value as By)}>
                <option value="exchange">exchange</option>
                <option value="agent">agent</option>
                <option value="age">age</option>
              </select>
            </label>
          </div>
          <Lines file={file} by={by} start={start} end={end} />
        </>
      )}
    </article>
  )
}

/** The folders above a file: the map of each. */
export function Crumbs({ path, id }: { path: string; id: string }) {
  const names = path.split("/")
  const keys = id.split("/")
  // A cut key of an over-long path cannot be taken apart.
  if (names.length !== keys.length) return <a href={to.map()} data-up>Code map</a>
  return (
    <>
      <a href={to.map()} data-up={names.length === 1}>Code map</a>
      {names.slice(0, -1).map((name, at) => (
        <> / <a href={to.map(keys.slice(0, at + 1).join("/"))} data-up={at === names.length - 2}><bdi>{line(name, 80)}</bdi></a></>
      ))}
    </>
  )
}

/** What kind of origin: an exchange, an agent's commit without one, a person, or nothing known. */
function sortOf(origin: Origin): "exchange" | "person" | "unknown" {
  return origin.exchange ? "exchange" : origin.commit ? "person" : "unknown"
}

function colour(origin: Origin, by: By, ages: Ages): string {
  if (by === "age") return origin.commit ? `age${ages.of(origin.commit)}` : "unknown"
  if (!origin.exchange) return sortOf(origin)
  return by === "agent" ? agentClass(origin.exchange.agent) : `h${hue(origin.exchange.key, 8)}`
}

class Ages {
  private readonly from: number
  private readonly span: number
  constructor(origins: Origin[]) {
    const times = origins.flatMap((one) => (one.commit ? [Date.parse(one.commit.date)] : [])).filter((time) => !Number.isNaN(time))
    this.from = times.reduce((least, time) => Math.min(least, time), Infinity)
    this.span = Math.max(1, times.reduce((most, time) => Math.max(most, time), 0) - this.from)
  }
  /** 0 (oldest) to 4 (newest) within the file. */
  of(commit: CommitRef): number {
    const share = (Date.parse(commit.date) - this.from) / this.span
    return Number.isNaN(share) ? 0 : Math.min(4, Math.floor(share * 5))
  }
}

function Legend({ file, by }: { file: File; by: By }) {
  const lines = { exchange: 0, person: 0, unknown: 0 }
  const agents = new Map<string, number>()
  for (const one of file.origins) {
    const size = one.end - one.start + 1
    lines[sortOf(one)] += size
    if (one.exchange) agents.set(one.exchange.agent, (agents.get(one.exchange.agent) ?? 0) + size)
  }
  const total = file.lines.length
  const rest = (
    <>
      <li><span class="key person" /> no conversation known {percent(lines.person, total)}</li>
      {lines.unknown > 0 && <li><span class="key unknown" /> commit not known {percent(lines.unknown, total)}</li>}
    </>
  )
  return (
    <ul class="legend" aria-label="What the colours mean">
      {by === "age" && <><li><span class="key age0" /> oldest</li><li><span class="key age2" /></li><li><span class="key age4" /> newest</li></>}
      {by === "agent" && <>{[...agents].map(([agent, size]) => <li><span class={`key ${agentClass(agent)}`} /> {line(agent, 40)} {percent(size, total)}</li>)}{rest}</>}
      {by === "exchange" && <><li><span class="key h0" /><span class="key h3" /><span class="key h5" /> an exchange each {percent(lines.exchange, total)}</li>{rest}</>}
    </ul>
  )
}

function Lines({ file, by, start, end }: { file: File; by: By; start: number | null; end: number | null }) {
  const field = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState<Origin | null>(null)
  const [lines, ages, parts, tokens] = useMemo(() => read(file), [file])
  useLayoutEffect(() => {
    if (start === null) return
    const marked = field.current?.querySelector(".marked")
    marked?.scrollIntoView({ block: "center" })
  }, [start, end, file])
  useEffect(() => {
    const at = start === null ? null : file.origins.find((one) => one.start <= start && start <= one.end)
    setSeen(at ?? null)
  }, [start, file])
  const pick = (event: MouseEvent, from: number) => {
    const box = (event.currentTarget as Element).getBoundingClientRect()
    const number = from + Math.max(0, Math.floor((event.clientY - box.top) / ROW))
    location.hash = event.shiftKey && start !== null && number > start ? to.file(file.file.key, start, number) : to.file(file.file.key, number)
  }
  const tell = (event: Event) => {
    const at = (event.target as Element).closest<HTMLElement>("[data-start]")?.dataset["start"]
    const found = at === undefined ? undefined : file.origins.find((one) => one.start <= Number(at) && Number(at) <= one.end)
    if (found) setSeen(found)
  }
  return (
    <div class="lines-field">
      <div class="lines" ref={field} onMouseOver={tell} onFocusIn={tell} role="group" aria-label="Lines of the file" tabIndex={0}>
        <div class="lines-width">
        {parts.map((block) => (
        <div class="block" style={{ containIntrinsicHeight: `${(block.at(-1)!.end - block[0]!.start + 1) * ROW}px` }}>
        {block.map((run) => {
          const text = lines.slice(run.start - 1, run.end)
          const height = text.length
          const last = runEnd(start, end, file)
          return (
            <div class={`origin ${run.first ? "first" : ""} ${colour(run.origin, by, ages)}`} data-start={run.start}>
              <div class="whence"><Whence origin={run.origin} height={height} first={run.first} /></div>
              <div class="numbers" aria-hidden="true" onClick={(event) => pick(event, run.start)}>{text.map((_, at) => run.start + at).join("\n")}</div>
              {start !== null && last !== null && start <= run.end && last >= run.start
                ? <Text lines={text} tokens={() => tokens().slice(run.start - 1, run.end)} mark={`${start}-${last}`}>{marked(text, run.start, start, last)}</Text>
                : <Text lines={text} tokens={() => tokens().slice(run.start - 1, run.end)} mark="" />}
            </div>
          )
        })}
        </div>
        ))}
        </div>
      </div>
      <Told origin={seen} />
    </div>
  )
}

/** What does not change while somebody points here and there: lines as shown, ages, blocks, tokens by line. */
function read(file: File): [string[], Ages, Piece[][], () => Token[][]] {
  const lines = file.lines.map(shown1)
  let made: Token[][] | null = null
  const { path } = file.file
  const tokens = () => (made ??= tokensByLine(lines.join("\n"), isCode(path) ? path : (file.language ?? "")))
  return [lines, new Ages(file.origins), blocks(file.origins.flatMap(divided)), tokens]
}

/** Some lines, coloured by their tokens; `mark` is another text whenever other lines of them are marked. */
function Text({ lines, tokens, mark, children }: { lines: string[]; tokens: () => Token[][]; mark: string; children?: ComponentChildren }) {
  const text = lines.join("\n")
  const field = useColours<HTMLPreElement>(mark + text, () => joined(tokens(), lines.map((one) => one.length)))
  return <pre dir="ltr" ref={field}>{children ?? text}</pre>
}

function runEnd(start: number | null, end: number | null, file: File): number | null {
  if (start === null) return null
  return Math.min(end ?? start, Math.max(start, file.lines.length))
}

function shown1(text: string): string {
  return shown(text.replace(/\r$/, "")).replace(/\n/g, "␊")
}

function marked(text: string[], from: number, start: number, end: number) {
  const before = text.slice(0, Math.max(0, start - from))
  const within = text.slice(Math.max(0, start - from), end - from + 1)
  const after = text.slice(end - from + 1)
  return (
    <>
      {before.length > 0 && before.join("\n") + "\n"}
      <mark class="marked">{within.join("\n") + "\n"}</mark>
      {after.join("\n")}
    </>
  )
}

interface Piece {
  start: number
  end: number
  origin: Origin
  first: boolean
}

/** Long runs are divided, so that the browser lays out what can be seen only. */
function divided(origin: Origin): Piece[] {
  const pieces: Piece[] = []
  for (let start = origin.start; start <= origin.end; start += PIECE)
    pieces.push({ start, end: Math.min(origin.end, start + PIECE - 1), origin, first: start === origin.start })
  return pieces
}

/** Pieces are laid out by the hundred lines, where they can be seen. */
function blocks(pieces: Piece[]): Piece[][] {
  const found: Piece[][] = []
  let size = Infinity
  for (const piece of pieces) {
    if (size >= 100) {
      found.push([])
      size = 0
    }
    found.at(-1)!.push(piece)
    size += piece.end - piece.start + 1
  }
  return found
}

/** In the margin: the exchange (or the commit) that the lines beside it come from. */
function Whence({ origin, height, first }: { origin: Origin; height: number; first: boolean }) {
  const step = first ? {} : { tabIndex: -1 }
  const { exchange, commit } = origin
  const lines = origin.end === origin.start ? `Line ${origin.start}` : `Lines ${origin.start} to ${origin.end}`
  if (exchange && isHere(exchange))
    return <a href={to.exchange(exchange.key)} data-item={first} {...step} title={about(exchange, commit)}><span class="hidden">{lines}: </span><bdi>{line(exchange.title, 60) || line(exchange.agent, 30)}</bdi>{height > 1 && <small>{line(exchange.agent, 20)} · {day(exchange.time)}</small>}</a>
  if (commit)
    return <a href={to.commit(commit.sha)} data-item={first} {...step} title={`${line(commit.subject)} (${line(commit.author, 60)}, ${day(commit.date)})`}><span class="hidden">{lines}: </span><bdi>{line(commit.subject, 60) || "(no subject)"}</bdi>{height > 1 && <small><bdi>{line(commit.author, 30)}</bdi> · {day(commit.date)}</small>}</a>
  return <span class="muted">not known</span>
}

function about(exchange: ExchangeRef, commit: CommitRef | null): string {
  return `${line(exchange.title, 120)} (${line(exchange.agent, 40)}, ${day(exchange.time)}${commit ? `, commit ${commit.sha.slice(0, 9)} by ${line(commit.author, 60)}` : ""})`
}

/** The origin that the pointer or the focus is on, told at the foot of the window. */
function Told({ origin }: { origin: Origin | null }) {
  if (!origin) return <p class="told muted">Point at a line, or tap it, to see where it comes from.</p>
  const { exchange, commit, confidence } = origin
  return (
    <p class="told">
      <strong>{origin.start === origin.end ? `Line ${count(origin.start)}` : `Lines ${count(origin.start)}–${count(origin.end)}`}</strong>{" "}
      {exchange && <>{isHere(exchange) ? <a href={to.exchange(exchange.key)}><bdi>{line(exchange.title, 100)}</bdi></a> : <bdi>{line(exchange.title, 100)}</bdi>} · {line(exchange.agent, 40)} · {day(exchange.time)}{confidence !== null && ` · confidence ${percent(confidence, 1)}`} · </>}
      {commit ? <><CommitLink commit={commit} /> · <CommitMeta commit={commit} /></> : "not in a commit that is known here"}
    </p>
  )
}
