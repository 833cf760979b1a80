// One learning: what it says, what it matches, where it comes from, how it would have fared.

import type { Learning } from "../api"
import { count, many, minute, monthName, percent } from "../format"
import { useDocument, useMore } from "../load"
import { to } from "../route"
import { line } from "../text"
import { Markdown } from "../markdown.view"
import { Badge, Code, CommitLink, CommitMeta, ExchangeLink, ExchangeMeta, FileLink, Head, LearningBadges, LearningLink, More, Section, Shown } from "../ui"

export function LearningView({ id }: { id: string }) {
  const loaded = useDocument<Learning>(`learning/${id}`)
  useMore(loaded, (learning) => learning.backtest === null)
  return <Shown loaded={loaded} head="Learning">{(value) => <Page learning={value} key={id} />}</Shown>
}

function Page({ learning }: { learning: Learning }) {
  const { ref, origin } = learning
  return (
    <article>
      <Head title={ref.title || ref.id} kind="Learning">
        <p class="meta"><LearningBadges learning={ref} /> {ref.category && <Badge text={ref.category} />} {learning.tags.map((tag) => <><Badge text={tag} /> </>)}</p>
        <dl class="facts">
          <div><dt>Id</dt><dd><code>{line(ref.id, 120)}</code></dd></div>
          <div><dt>File</dt><dd><FileLink file={learning.file} /></dd></div>
          {learning.languages.length > 0 && <div><dt>Languages</dt><dd>{learning.languages.map((one) => line(one, 40)).join(", ")}</dd></div>}
          {learning.paths.length > 0 && <div><dt>Paths</dt><dd>{learning.paths.map((one) => <><code>{line(one, 120)}</code> </>)}</dd></div>}
        </dl>
        <p class="meta"><a href={to.learnings()} data-up>All learnings</a></p>
      </Head>
      {learning.description.trim() && <Markdown text={learning.description} />}
      {learning.instead && <Section title="Instead"><Markdown text={learning.instead} /></Section>}
      {learning.why && <Section title="Why it is in this state"><Markdown text={learning.why} /></Section>}
      <Section title="Where it comes from">
        {origin.exchange && <p><ExchangeLink exchange={origin.exchange} item /> <ExchangeMeta exchange={origin.exchange} /></p>}
        {origin.commit && <p><CommitLink commit={origin.commit} item /> <CommitMeta commit={origin.commit} /></p>}
        {origin.text && <p class="meta"><code>{line(origin.text, 400)}</code></p>}
        {!origin.exchange && !origin.commit && !origin.text && <p class="muted">Its origin is not written down.</p>}
      </Section>
      <Section title="What it matches">
        <Code text={learning.matcher} label="Matcher" />
        <Examples title="Must not match" good examples={learning.good} language={learning.languages[0] ?? ""} />
        <Examples title="Must match" examples={learning.bad} language={learning.languages[0] ?? ""} />
      </Section>
      <Section title="Over time"><Backtest learning={learning} /></Section>
      {learning.changes.length > 0 && (
        <Section title="Changes of its file">
          <More items={learning.changes}>{(commit) => <li><CommitLink commit={commit} item /> <CommitMeta commit={commit} /></li>}</More>
        </Section>
      )}
      {learning.related.length > 0 && (
        <Section title="Related"><ul class="rows">{learning.related.map((one) => <li><LearningLink learning={one} item /> <LearningBadges learning={one} /></li>)}</ul></Section>
      )}
      <details><summary>The file</summary><Code text={learning.source} label="Source of the learning" language="yaml" /></details>
    </article>
  )
}

function Examples({ title, examples, good, language }: { title: string; examples: string[]; good?: boolean; language: string }) {
  if (examples.length === 0) return null
  return (
    <div class={`examples ${good ? "good" : "bad"}`}>
      <h3>{title}</h3>
      {examples.map((text, at) => <Code text={text} label={`${title}, example ${at + 1}`} language={language} />)}
    </div>
  )
}

function Backtest({ learning }: { learning: Learning }) {
  const { backtest } = learning
  if (!backtest)
    return <p class="muted">Not tried on the history yet, or it is being tried now. In a terminal: <code>git skillmesh backtest {line(learning.ref.id, 80)}</code></p>
  const { points, estimate } = backtest
  const fired = points.reduce((sum, point) => sum + point.fired, 0)
  const fixed = points.reduce((sum, point) => sum + point.fixed, 0)
  const said = `Over ${many(backtest.commits, "commit")} it would have fired ${many(fired, "time")}; ${count(fixed)} of these were changed later.`
  return (
    <>
      <p>{said}{estimate && <> It is right on about {percent(estimate.mean, 1)} of the commits on which it fires ({percent(estimate.low, 1)} to {percent(estimate.high, 1)}).</>}
        {backtest.at && <span class="muted"> Tried {minute(backtest.at)} UTC.</span>}</p>
      {points.length > 0 && <Chart points={points} said={said} />}
      {points.length > 0 && (
        <details>
          <summary>As a table</summary>
          <table>
            <thead><tr><th scope="col">Month</th><th scope="col" class="number">Fired</th><th scope="col" class="number">Changed later</th></tr></thead>
            <tbody>{points.map((point) => <tr><th scope="row">{monthName(point.month)}</th><td class="number">{count(point.fired)}</td><td class="number">{count(point.fixed)}</td></tr>)}</tbody>
          </table>
        </details>
      )}
    </>
  )
}

function Chart({ points, said }: { points: { month: string; fired: number; fixed: number }[]; said: string }) {
  const most = Math.max(1, ...points.map((point) => point.fired))
  const step = Math.min(40, 660 / points.length)
  const top = (value: number) => 110 - (value / most) * 100
  return (
    <figure class="chart">
      <svg viewBox="0 0 720 140" role="img" aria-label={said}>
        <line class="axis" x1="40" x2="710" y1="110" y2="110" />
        <line class="grid" x1="40" x2="710" y1="10" y2="10" />
        <text x="34" y="14" text-anchor="end">{count(most)}</text>
        <text x="34" y="113" text-anchor="end">0</text>
        {points.map((point, at) => {
          const x = 44 + at * step
          return (
            <g>
              <title>{`${monthName(point.month)}: fired ${point.fired}, changed later ${point.fixed}`}</title>
              <rect class="fired" x={x} width={Math.max(1, step - 3)} y={top(point.fired)} height={110 - top(point.fired)} />
              <rect class="fixed" x={x} width={Math.max(1, step - 3)} y={top(point.fixed)} height={110 - top(point.fixed)} />
              {(at === 0 || at === points.length - 1 || point.month.endsWith("-01")) && (at === 0 || step * at > 60) && (
                <text x={x} y="128">{point.month}</text>
              )}
            </g>
          )
        })}
      </svg>
      <figcaption class="legend"><span class="pair"><span class="key fired" /> fired</span> <span class="pair"><span class="key fixed" /> of which changed later</span></figcaption>
    </figure>
  )
}
