/**
 * The process's log, on stderr, so that stdout stays free for what a program prints on purpose: JSON lines, or text where
 * stderr is a terminal. libp2p's own log goes the same way: its errors at `debug` (a peer that can't be dialled is no fault of ours), the rest at `trace`.
 */

import { format } from 'node:util'
import type { ComponentLogger, Logger as Libp2pLogger } from '@libp2p/interface'
import pino, { type Logger } from 'pino'
import { jsonLines, textLines } from './destination.ts'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** @param isWatched whether a person reads it as it comes. @default whether stderr is a terminal */
export async function createLog(level: LogLevel, name: string, isWatched = process.stderr.isTTY): Promise<Logger> {
  return pino(
    {
      level,
      base: { peer: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: pino.stdSerializers.err }
    },
    isWatched ? await textLines() : jsonLines()
  )
}

export function forwardLibp2pLog(log: Logger): ComponentLogger {
  const scoped = (component: string): Libp2pLogger => {
    const write = (level: 'debug' | 'trace', args: [unknown, ...unknown[]]): void => {
      if (log.isLevelEnabled(level)) log[level]({ component }, render(args))
    }
    const logger = (...args: [unknown, ...unknown[]]): void => write('trace', args)
    return Object.assign(logger, {
      error: (...args: [unknown, ...unknown[]]) => write('debug', args),
      trace: (...args: [unknown, ...unknown[]]) => write('trace', args),
      enabled: log.isLevelEnabled('trace'),
      newScope: (name: string) => scoped(`${component}:${name}`)
    })
  }
  return { forComponent: scoped }
}

/** libp2p's formatters (`%p` a peer id, `%a` a multiaddr, `%e` an error...) all print well as strings. */
function render([template, ...values]: [unknown, ...unknown[]]): string {
  if (typeof template !== 'string') return format(template, ...values)
  return format(
    template.replace(/%[a-zA-Z]/g, mark => (mark === '%d' || mark === '%o' || mark === '%O' ? mark : '%s')),
    ...values.map(value =>
      typeof value === 'object' && value != null && !(value instanceof Error) ? String(value) : value
    )
  )
}
