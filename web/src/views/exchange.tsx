// One exchange: prompt, answer, tools, changes, and what became of its lines.

import type { Exchange, Place } from "../api"
import { count, many, minute, percent } from "../format"
import { useDocument } from "../load"
import { to } from "../route"
import { line, shown } from "../text"
import { Diff } from "../diff.view"
import { Markdown } from "../markdown.view"
import { sizes } from "../diff"
import { Badge, Change, Code, CommitLink, FileLink, Head, LearningBadges, LearningLink, Lives, More, Note, Plain, Section, SessionLink, Shown } from "../ui"

export function ExchangeView({ id }: { id: string }) {
  const loaded = useDocument<Exchange>(`exchange/${id}`)
  return <Shown loaded={loaded} head="Exchange">{(value) => <Page exchange={value} key={id} />}</Shown>
}

function Page({ exchange }: { exchange: Exchange }) {
  const { ref, session } = exchange
  return (
    <article class="exchange">
      <Head title={ref.title || "(no text)"} kind={`Exchange ${ref.n} of ${session.exchanges}`}>
        <p class="meta">in <SessionLink session={session} /></p>
        <dl class="facts">
          <div><dt>Agent</dt><dd>{line(ref.agent, 60)}{exchange.model && ` (${line(exchange.model, 60)})`}</dd></div>
          <div><dt>When</dt><dd>{minute(ref.time)} UTC</dd></div>
          <div><dt>State</dt><dd><Badge text={exchange.status} /> {exchange.kind && exchange.kind !== "unknown" && <Badge text={exchange.kind} />}</dd></div>
          {exchange.lines_linked > 0 && <div><dt>Code</dt><dd><Lives linked={exchange.lines_linked} alive={exchange.lines_alive} /></dd></div>}
        </dl>
        <Turns exchange={exchange} />
      </Head>
      <Section title="Prompt"><div class="prompt"><Plain text={exchange.prompt} /></div></Section>
      <Section title="Answer"><Answer exchange={exchange} /></Section>
      <Became exchange={exchange} />
      <Reward exchange={exchange} />
      {exchange.learnings.length > 0 && (
        <Section title="Learnings from it">
          <ul class="rows">{exchange.learnings.map((one) => <li><LearningLink learning={one} item /> <LearningBadges learning={one} /></li>)}</ul>
        </Section>
      )}
      <Turns exchange={exchange} again />
    </article>
  )
}

function Turns({ exchange, again }: { exchange: Exchange; again?: boolean }) {
  return (
    <nav class="pager" aria-label={`Exchanges of this conversation${again ? ", again" : ""}`}>
      {exchange.previous ? <a href={to.exchange(exchange.previous)} rel="prev" data-turn="newer">← Before</a> : <span class="muted">← Before</span>}
      <a href={to.session(exchange.session.key)} data-up>Whole conversation</a>
      {exchange.next ? <a href={to.exchange(exchange.next)} rel="next" data-turn="older">After →</a> : <span class="muted">After →</span>}
    </nav>
  )
}

/** What the agent said and did. */
export function Answer({ exchange }: { exchange: Exchange }) {
  return (
    <div class="said">
      {exchange.response.trim() ? <Markdown text={exchange.response} /> : <p class="muted">No text.</p>}
      {exchange.cut.length > 0 && <Note>Shortened: {exchange.cut.map((text) => line(text, 200)).join("; ")}</Note>}
      {exchange.tools.length > 0 && <Tools exchange={exchange} />}
      {exchange.edits.map((edit) => {
        const size = sizes(edit.diff)
        return (
          <Change file={edit.file} open={exchange.edits.length <= 6} meta={<><ins>+{count(size.added)}</ins> <del>−{count(size.removed)}</del></>}>
            <Diff diff={edit.diff} path={edit.file.path} />
          </Change>
        )
      })}
    </div>
  )
}

function Tools({ exchange }: { exchange: Exchange }) {
  const failed = exchange.tools.filter((tool) => tool.failed).length
  return (
    <details class="toolbox">
      <summary>{many(exchange.tools.length, "tool call")}{failed > 0 && `, ${failed} failed`}</summary>
      <ol>
        {exchange.tools.map((tool) => {
          const head = <><code>{line(tool.name, 80)}</code> {tool.target && <span class="target"><bdi>{line(tool.target, 160)}</bdi></span>} {tool.failed && <Badge text="failed" kind="bad" />}</>
          if (!tool.input && !tool.output) return <li class="tool">{head}</li>
          return (
            <li class="tool">
              <details>
                <summary>{head}</summary>
                {tool.input && <Code text={tool.input} label={`Input of ${shown(tool.name).slice(0, 60)}`} most={4000} />}
                {tool.output && <Code text={tool.output} label={`Output of ${shown(tool.name).slice(0, 60)}`} most={4000} />}
              </details>
            </li>
          )
        })}
      </ol>
    </details>
  )
}

function Became({ exchange }: { exchange: Exchange }) {
  if (exchange.commits.length === 0 && exchange.alive.length === 0 && exchange.died.length === 0)
    return <Section title="What became of it"><p class="muted">No lines of a commit are linked to this exchange.</p></Section>
  return (
    <Section title="What became of it">
      {exchange.commits.length > 0 && (
        <>
          <h3>Commits</h3>
          <More items={exchange.commits}>{(one) => (
            <li><CommitLink commit={one.commit} item /> <span class="meta">{many(one.lines, "line")}{one.confidence !== null && `, confidence ${percent(one.confidence, 1)}`}</span></li>
          )}</More>
        </>
      )}
      {exchange.alive.length > 0 && (
        <>
          <h3>Lines that live on</h3>
          <More items={byFile(exchange.alive)}>{(places) => <li><FileLink file={places[0]!} item /> <span class="meta">{places.slice(0, 40).map((place, at) => <>{at > 0 && ", "}<Lines place={place} /></>)}{places.length > 40 && ` and ${places.length - 40} more places`}</span></li>}</More>
        </>
      )}
      {exchange.died.length > 0 && (
        <>
          <h3>Lines that are gone</h3>
          <More items={exchange.died}>{(one) => (
            <li>{one.commit ? <>by <CommitLink commit={one.commit} /></> : <span class="muted">by which commit is not known</span>} <span class="meta">{many(one.lines, "line")}</span></li>
          )}</More>
        </>
      )}
    </Section>
  )
}

function byFile(places: Place[]): Place[][] {
  const files = new Map<string, Place[]>()
  for (const place of places) files.set(place.key, [...(files.get(place.key) ?? []), place])
  return [...files.values()]
}

function Lines({ place }: { place: Place }) {
  return <a href={to.file(place.key, place.start, place.end)}>{place.start === place.end ? `line ${place.start}` : `lines ${place.start}–${place.end}`}</a>
}

function Reward({ exchange }: { exchange: Exchange }) {
  const reward = exchange.reward
  if (!reward) return null
  return (
    <Section title="How it is judged">
      <p><Badge text={reward.verdict} /> {reward.score !== null && <>score {reward.score.toFixed(2)}</>}</p>
      {reward.parts.length > 0 && (
        <div class="wide" tabIndex={0} role="group" aria-label="Parts of the judgement">
          <table>
            <thead><tr><th scope="col">Signal</th><th scope="col">Value</th><th scope="col">Weight</th></tr></thead>
            <tbody>{reward.parts.map((part) => (
              <tr><td>{line(part.name, 80)}</td><td class="number">{part.value === null ? "–" : part.value.toFixed(2)}</td><td class="number">{part.weight === null ? "–" : part.weight.toFixed(2)}</td></tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </Section>
  )
}
