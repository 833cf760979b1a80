// Markdown on the page: in, text of an agent; out, elements that only this file chooses.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { count } from "./format"
import { blocks, type Block, type Inline } from "./markdown"
import { shown } from "./text"
import { Coloured } from "./ui"

/** More than this is shown on demand. */
const MOST = 60000

export function Markdown({ text }: { text: string }) {
  const [all, setAll] = useState(false)
  const cut = !all && text.length > MOST
  return (
    <div class="markdown" dir="auto">
      {blocks(shown(cut ? text.slice(0, MOST) : text)).map(block)}
      {cut && <button type="button" onClick={() => setAll(true)}>Show all {count(text.length)} characters</button>}
    </div>
  )
}

function block(one: Block): JSX.Element {
  switch (one.type) {
    case "heading":
      return <p class={`heading level${one.level}`}>{one.parts.map(part)}</p>
    case "paragraph":
      return <p>{one.parts.map(part)}</p>
    case "code":
      return <Coloured class="code" label={one.language ? `Code, ${one.language.slice(0, 30)}` : "Code"} language={one.language} text={one.text} />
    case "quote":
      return <blockquote>{one.blocks.map(block)}</blockquote>
    case "rule":
      return <hr />
    case "list": {
      const items = one.items.map((item) => <li>{tight(item)}</li>)
      return one.start === null ? <ul>{items}</ul> : <ol start={one.start}>{items}</ol>
    }
    case "table":
      return (
        <div class="wide" tabIndex={0} role="group" aria-label="Table">
          <table>
            <thead><tr>{one.head.map((cell) => <th scope="col">{cell.map(part)}</th>)}</tr></thead>
            <tbody>{one.rows.map((row) => <tr>{row.map((cell) => <td>{cell.map(part)}</td>)}</tr>)}</tbody>
          </table>
        </div>
      )
  }
}

function tight(item: Block[]): (JSX.Element | (string | JSX.Element)[])[] {
  return item.map((one, at) => (at === 0 && one.type === "paragraph" ? one.parts.map(part) : block(one)))
}

function part(one: Inline): string | JSX.Element {
  if (typeof one === "string") return one
  switch (one.type) {
    case "code":
      return <code>{one.text}</code>
    case "strong":
      return <strong>{one.parts.map(part)}</strong>
    case "em":
      return <em>{one.parts.map(part)}</em>
    case "del":
      return <del>{one.parts.map(part)}</del>
    case "link":
      return <Outside to={one.to} parts={one.parts} />
  }
}

/** A link out of the page: says where it leads when its text does not. */
function Outside({ to, parts }: { to: string; parts: Inline[] }) {
  const host = new URL(to).host
  const same = parts.length === 1 && typeof parts[0] === "string" && parts[0].startsWith("http")
  return (
    <>
      <a href={to} rel="noopener noreferrer" target="_blank">{parts.map(part)}</a>
      {(!same || parts[0] !== to) && <span class="muted"> ({host})</span>}
    </>
  )
}
