// A commit: its message, the exchanges that its lines come from, its changes.

import type { Commit } from "../api"
import { count, many, minute, percent, short } from "../format"
import { useDocument } from "../load"
import { to } from "../route"
import { line } from "../text"
import { Diff } from "../diff.view"
import { Badge, Change, Empty, ExchangeLink, ExchangeMeta, Head, LearningBadges, LearningLink, More, Note, Plain, Section, Shown } from "../ui"

export function CommitView({ sha }: { sha: string }) {
  const loaded = useDocument<Commit>(`commit/${sha}`)
  return <Shown loaded={loaded} head="Commit">{(value) => <Page commit={value} key={sha} />}</Shown>
}

function Page({ commit }: { commit: Commit }) {
  return (
    <article>
      <Head title={commit.subject || "(no subject)"} kind="Commit">
        <dl class="facts">
          <div><dt>Author</dt><dd><bdi>{line(commit.author, 120)}</bdi>{commit.email && <span class="muted"> <bdi>{line(commit.email, 120)}</bdi></span>}</dd></div>
          <div><dt>When</dt><dd>{minute(commit.date)} UTC</dd></div>
          <div><dt>Id</dt><dd><code>{commit.sha}</code></dd></div>
          {commit.parents.length > 0 && <div><dt>{commit.parents.length > 1 ? "Parents" : "Parent"}</dt><dd>{commit.parents.map((sha) => <><a href={to.commit(sha)} data-up><code>{short(sha)}</code></a> </>)}</dd></div>}
        </dl>
      </Head>
      {commit.body.trim() && <div class="message"><Plain text={commit.body} /></div>}
      <Section title="Where its lines come from">
        {commit.exchanges.length === 0
          ? <Empty command="git skillmesh link">No conversation is known for this commit. If there was one and it has been imported:</Empty>
          : (
            <More items={commit.exchanges}>{(one) => (
              <li>
                <ExchangeLink exchange={one.exchange} item />
                <span class="meta">
                  <ExchangeMeta exchange={one.exchange} />{one.lines > 0 && <> · {many(one.lines, "line")}</>}
                  {one.confidence !== null && <> · confidence {percent(one.confidence, 1)}</>}
                  {one.method && <> · {line(one.method, 60)}</>}
                </span>
              </li>
            )}</More>
          )}
      </Section>
      {commit.learnings.length > 0 && (
        <Section title="Learnings"><ul class="rows">{commit.learnings.map((one) => <li><LearningLink learning={one} item /> <LearningBadges learning={one} /></li>)}</ul></Section>
      )}
      <Section title={many(commit.files.length + commit.files_left_out, "file")}>
        {commit.files.map((one, at) => (
          <Change file={one.file} open={at < 20 && commit.files.length <= 40} meta={<>
            {one.status !== "modified" && one.status !== "M" && <Badge text={one.status} />}{" "}
            {one.added === null ? "binary" : <><ins>+{count(one.added)}</ins> <del>−{count(one.removed ?? 0)}</del></>}
          </>}>
            {one.diff === null ? <p class="muted">The change is too long to be shown, or not text.</p> : <Diff diff={one.diff} file={one.file} path={one.file.path} />}
          </Change>
        ))}
        {commit.files_left_out > 0 && <Note>{many(commit.files_left_out, "more file")} not shown.</Note>}
      </Section>
    </article>
  )
}
