// Colours of code: in, elements that show text and where its tokens stand. The text itself stays one plain text: the
// browser paints over ranges of it (CSS Custom Highlight API). What is not in sight is not painted, and a browser
// without this shows text of one colour.

import { useEffect, useRef } from "preact/hooks"
import type { Kind, Token } from "./tokens"

const able = typeof Highlight === "function" && typeof StaticRange === "function" && "highlights" in CSS

interface Painted { tokens: () => Token[]; ranges: { kind: Kind; range: StaticRange }[] | null }

const shown = new WeakMap<Element, Painted>()
const waiting = new Set<Element>()
let watch: IntersectionObserver | null = null

function highlight(kind: Kind): Highlight {
  const name = `code-${kind}`
  let made = CSS.highlights.get(name)
  if (!made) CSS.highlights.set(name, (made = new Highlight()))
  return made
}

function paint(element: Element): void {
  const painted = shown.get(element)
  waiting.delete(element)
  watch?.unobserve(element)
  if (!painted || painted.ranges) return
  painted.ranges = []
  const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  let node = walk.nextNode() as Text | null
  let before = 0
  for (const [from, to, kind] of painted.tokens()) {
    // Text of a mark lies in a node of its own: a token may begin in one and end in another.
    for (let at = from; node && at < to; ) {
      if (at >= before + node.length) {
        before += node.length
        node = walk.nextNode() as Text | null
        continue
      }
      const end = Math.min(to, before + node.length)
      const range = new StaticRange({ startContainer: node, startOffset: at - before, endContainer: node, endOffset: end - before })
      painted.ranges.push({ kind, range })
      highlight(kind).add(range)
      at = end
    }
  }
}

function clear(element: Element): void {
  for (const { kind, range } of shown.get(element)?.ranges ?? []) highlight(kind).delete(range)
  shown.delete(element)
  waiting.delete(element)
  watch?.unobserve(element)
}

/** Colours the text of an element by its tokens, as soon as it can be seen; anew whenever `text` is another one. */
export function useColours<T extends Element>(text: string, tokens: () => Token[]): { current: T | null } {
  const element = useRef<T>(null)
  useEffect(() => {
    const one = element.current
    if (!one || !able) return undefined
    watch ??= new IntersectionObserver((seen) => { for (const each of seen) if (each.isIntersecting) paint(each.target) }, { rootMargin: "50%" })
    shown.set(one, { tokens, ranges: null })
    waiting.add(one)
    watch.observe(one)
    return () => clear(one)
  }, [text])
  return element
}

/** Colours everything, also what is not in sight: paper shows all of it. */
export function colourAll(): void {
  for (const one of [...waiting]) paint(one)
}

/** The tokens of some lines as they stand in these lines joined by line feeds. */
export function joined(lines: Token[][], lengths: number[]): Token[] {
  const found: Token[] = []
  let start = 0
  lines.forEach((tokens, at) => {
    for (const [from, to, kind] of tokens) found.push([start + from, start + to, kind])
    start += lengths[at]! + 1
  })
  return found
}
