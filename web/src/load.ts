// Documents by their path: from the server under api/, or from the files of an export under data/.
// In: a path of the contract (api.ts). Out: a promise of its document, kept for the way back.

import { useEffect, useState } from "preact/hooks"

/** Why a document did not come: one line for people, and the status of the answer (0: no answer). */
export class Failed extends Error {
  constructor(message: string, readonly status: number) {
    super(message)
  }
}

type Kept = { promise: Promise<unknown>; value?: unknown }

const MOST = 80
const kept = new Map<string, Kept>()
const awaited = new Map<string, (value: unknown) => void>()

/** Says whether the page was opened from an export rather than a server. */
export const exported = (): boolean => document.documentElement.dataset["mode"] === "export"

declare global {
  interface Window {
    skillmesh_give?: (path: string, value: unknown) => void
  }
}

/** Lets the files of an export hand over their document. */
export function receive(): void {
  window.skillmesh_give = (path, value) => {
    awaited.get(path)?.(value)
    awaited.delete(path)
  }
}

/** Returns the document at `path`. Rejects with `Failed`. */
export function load<T>(path: string): Promise<T> {
  const known = kept.get(path)
  if (known) {
    kept.delete(path)
    kept.set(path, known)
    return known.promise as Promise<T>
  }
  const entry: Kept = { promise: (exported() ? fromFile(path) : fromServer(`api/${path}.json`)) }
  kept.set(path, entry)
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST) break
    kept.delete(oldest)
  }
  entry.promise.then(
    (value) => { entry.value = value },
    () => { if (kept.get(path) === entry) kept.delete(path) },
  )
  return entry.promise as Promise<T>
}

/** Forgets all documents: the repository has changed. */
export function forget(): void {
  kept.clear()
}

/** Asks the server, past what is kept. Rejects with `Failed`, or AbortError. */
export async function fromServer<T>(address: string, signal?: AbortSignal): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(address, { credentials: "same-origin", cache: "no-cache", redirect: "error", ...(signal ? { signal } : {}) })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Failed("The server does not answer. Is `git skillmesh explore` still running?", 0)
  }
  let value: unknown
  try {
    value = await answer.json()
  } catch {
    value = null
  }
  if (answer.ok && value !== null) return value as T
  const said = (value as { error?: unknown } | null)?.error
  if (answer.status === 401 || answer.status === 403)
    throw new Failed("The server does not know this browser. Open the address that `git skillmesh explore` printed.", answer.status)
  throw new Failed(typeof said === "string" ? said : `The server answered with status ${answer.status}.`, answer.status)
}

function fromFile(path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script")
    awaited.set(path, resolve)
    const failed = () => {
      awaited.delete(path)
      reject(new Failed("This export does not hold that.", 404))
      script.remove()
    }
    script.onerror = failed
    script.onload = () => (awaited.has(path) ? failed() : script.remove())
    script.src = `data/${path}.js`
    document.head.append(script)
  })
}

export interface Loaded<T> {
  value: T | null
  error: Failed | null
  /** Begins anew, as if nothing had been there. */
  again: () => void
  /** Asks once more, and shows what is there until the answer has come. */
  renew: () => void
}

/** A document for a component: null until it is there; null `path` asks for nothing. */
export function useDocument<T>(path: string | null): Loaded<T> {
  const [tries, setTries] = useState(0)
  const [state, setState] = useState<{ path: string; value?: T; error?: Failed } | null>(null)
  useEffect(() => {
    if (path === null) return undefined
    let wanted = true
    load<T>(path).then(
      (value) => wanted && setState({ path, value }),
      (error: unknown) => wanted && setState({ path, error: error instanceof Failed ? error : new Failed(String(error), 0) }),
    )
    return () => { wanted = false }
  }, [path, tries])
  const again = () => {
    setState(null)
    setTries(tries + 1)
  }
  const renew = () => {
    if (path === null) return
    kept.delete(path)
    load<T>(path).then((value) => setState((now) => (now === null || now.path === path ? { path, value } : now)), () => undefined)
  }
  if (path !== null && state?.path !== path) {
    const value = kept.get(path)?.value as T | undefined
    return { value: value ?? null, error: null, again, renew }
  }
  return { value: state?.value ?? null, error: state?.error ?? null, again, renew }
}

/** Asks for more while `wanting` says that a document is not whole yet: soon, then ever more seldom, then no more. */
export function useMore<T>(loaded: Loaded<T>, wanting: (value: T) => boolean): void {
  const [asked, setAsked] = useState(0)
  const wants = loaded.value !== null && !exported() && wanting(loaded.value)
  useEffect(() => {
    if (!wants || asked >= 8) return undefined
    const timer = setTimeout(() => {
      setAsked(asked + 1)
      loaded.renew()
    }, 1500 * 1.6 ** asked)
    return () => clearTimeout(timer)
  }, [wants, asked])
}
