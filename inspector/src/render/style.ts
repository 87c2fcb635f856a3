import { stripVTControlCharacters, styleText } from 'node:util'

export type Format = Parameters<typeof styleText>[0]

/** How text may look where it goes. */
export interface Style {
  /** colours a text, or leaves it as it is */
  paint(format: Format, text: string): string
  /** columns; undefined when it isn't a terminal and lines may be as long as they like */
  width?: number
  /** milliseconds since the epoch: what "2 s ago" counts from */
  now: number
}

export interface Terminal {
  isTTY?: boolean
  columns?: number
}

/** Colours for people at a terminal who didn't ask for none. */
export function styleFor(terminal: Terminal, env: Record<string, string | undefined>, now = Date.now()): Style {
  const isTerminal = terminal.isTTY === true
  const coloured = isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
  return {
    paint: coloured ? (format, text) => styleText(format, text, { validateStream: false }) : (_format, text) => text,
    ...(isTerminal && terminal.columns != null && terminal.columns > 0 ? { width: terminal.columns } : {}),
    now
  }
}

/**
 * Text that others wrote, made safe for a terminal: names and details come from peers, and a control sequence in one
 * could rewrite the screen.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}
