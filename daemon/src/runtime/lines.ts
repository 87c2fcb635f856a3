import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { MAX_LINE, MAX_LOG_BYTES_PER_SECOND } from './constants.ts'

/**
 * Splits what a process writes into lines, with no more than one line in memory: of a longer one the end is left out.
 * A process that writes without pause is read slowly, and so waits.
 */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let line = ''
  let cut = 0
  let second = 0
  let bytes = 0

  const emit = (): void => {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    if (text !== '' || cut > 0) onLine(cut > 0 ? `${text}... (${cut} characters more)` : text)
    line = ''
    cut = 0
  }
  const add = (text: string): void => {
    const room = MAX_LINE - line.length
    line += room >= text.length ? text : text.slice(0, room)
    cut += Math.max(0, text.length - room)
  }
  const throttle = (size: number): void => {
    const now = Date.now()
    if (now - second >= 1000) {
      second = now
      bytes = 0
    }
    bytes += size
    if (bytes < MAX_LOG_BYTES_PER_SECOND) return
    stream.pause()
    setTimeout(() => stream.resume(), Math.max(1, second + 1000 - now)).unref()
  }

  stream.on('data', (chunk: Buffer) => {
    const text = decoder.write(chunk)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      add(text.slice(start, end))
      emit()
      start = end + 1
    }
    add(text.slice(start))
    throttle(chunk.length)
  })
  stream.on('end', () => {
    add(decoder.end())
    emit()
  })
  stream.on('error', () => {})
}
