import { setTimeout as sleep } from 'node:timers/promises'
import { type Previous, type Snapshot, takeSnapshot } from '../commands/top.ts'
import { InspectorError } from '../errors.ts'
import { renderTop } from '../render/top.ts'
import type { MeshSource } from '../source/index.ts'
import { type Io, styleOf, toJson, write, writeLine } from './io.ts'

export interface TopOptions {
  /** milliseconds between two snapshots */
  interval: number
  /** snapshots; undefined = until it is ended */
  count?: number
  json: boolean
}

/** The alternate screen, no cursor, no wrapping of long lines; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
const CTRL_C = '\x03'

/** Shows the mesh as it works: redrawn in place on a terminal, else, or so many times, one snapshot below the other. */
export async function runTop(source: MeshSource, options: TopOptions, io: Io, signal: AbortSignal): Promise<void> {
  if (io.stdout.isTTY !== true || options.json || options.count != null) {
    await everyInterval(options, signal, async previous => {
      const { snapshot, previous: next } = await takeSnapshot(source, previous, signal)
      await writeLine(io.stdout, options.json ? toJson(snapshot) : `${renderTop(snapshot, styleOf(io))}\n`)
      return next
    })
    return
  }
  await onScreen(io, signal, async ended => {
    let last: Snapshot | undefined
    await everyInterval(options, ended, async previous => {
      let note = ''
      let next = previous
      try {
        const taken = await takeSnapshot(source, previous, ended)
        last = taken.snapshot
        next = taken.previous
      } catch (err) {
        // The mesh may be back in a second, and whoever watches wants to see that.
        if (!(err instanceof InspectorError) || last == null) throw err
        note = `\n\n${styleOf(io).paint('red', `${err.message}; this is what was last seen`)}`
      }
      if (last != null) await draw(io, renderTop(last, styleOf(io)) + note)
      return next
    })
  })
}

/** Does `work` again and again, at even distances, until it has been done often enough or the signal says so. */
async function everyInterval(
  { interval, count = Number.POSITIVE_INFINITY }: TopOptions,
  signal: AbortSignal,
  work: (previous: Previous | undefined) => Promise<Previous | undefined>
): Promise<void> {
  let previous: Previous | undefined
  for (let i = 1; !signal.aborted; i++) {
    const startedAt = performance.now()
    try {
      previous = await work(previous)
    } catch (err) {
      if (signal.aborted) return
      throw err
    }
    if (i >= count) return
    await sleep(Math.max(0, interval - (performance.now() - startedAt)), undefined, { signal }).catch(() => {})
  }
}

/** Takes the alternate screen and gives it back, however `show` ends. `q` and Ctrl-C end it. */
async function onScreen(io: Io, signal: AbortSignal, show: (ended: AbortSignal) => Promise<void>): Promise<void> {
  const { stdin, stdout } = io
  const quit = new AbortController()
  const onKey = (key: Buffer): void => {
    if (key.includes('q') || key.includes(CTRL_C)) quit.abort()
  }
  const restore = (): void => {
    stdout.write(LEAVE)
  }
  const keys = stdin.isTTY === true && stdin.setRawMode != null
  process.once('exit', restore)
  await write(stdout, ENTER)
  try {
    if (keys) {
      stdin.setRawMode?.(true)
      stdin.on('data', onKey).resume()
    }
    await show(AbortSignal.any([signal, quit.signal]))
  } finally {
    if (keys) {
      stdin.setRawMode?.(false)
      stdin.removeListener('data', onKey).pause()
    }
    process.removeListener('exit', restore)
    restore()
  }
}

/** Line by line over what stands there: clearing the whole screen first would flicker. */
async function draw({ stdout }: Io, text: string): Promise<void> {
  const lines = text.split('\n').slice(0, Math.max(1, (stdout.rows ?? 24) - 1))
  await write(stdout, `${HOME}${lines.map(line => `${line}${CLEAR_LINE}\r\n`).join('')}${CLEAR_BELOW}`)
}
