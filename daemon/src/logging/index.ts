/**
 * The process's log: JSON lines on stderr, so that stdout stays free for what a program prints on purpose. libp2p's own
 * log goes the same way: its errors at `debug` (a peer that can't be dialled is no fault of ours), the rest at `trace`.
 */

import { format } from 'node:util'
import type { ComponentLogger, Logger as Libp2pLogger } from '@libp2p/interface'
import pino, { type Logger } from 'pino'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Bytes of log that are gathered into one write ... */
const LOG_BUFFER = 4096
/** ... unless it takes longer than this, in milliseconds: whoever follows a log doesn't notice. */
const LOG_DELAY = 100
/** Bytes that wait while the log can't be written; what is more is lost. */
const LOG_BACKLOG = 256 * 1024

export function createLog(level: LogLevel, name: string): Logger {
  // A write of its own for each line would cost a request as much as its encryption does.
  const destination = pino.destination({
    dest: 2,
    sync: false,
    minLength: LOG_BUFFER,
    periodicFlush: LOG_DELAY,
    maxLength: LOG_BACKLOG
  })
  outliveFullDisk(destination)
  return pino({ level, base: { peer: name }, serializers: { err: pino.stdSerializers.err } }, destination)
}

/**
 * A log that can't be written is no reason to end. An error that nobody hears would end the process, and at its end what
 * is left is written again and again until that goes well, which on a full disk is never.
 */
function outliveFullDisk(destination: ReturnType<typeof pino.destination>): void {
  const { flushSync } = destination
  destination.on('error', () => {
    destination.flushSync = () => {}
  })
  destination.on('write', () => {
    destination.flushSync = flushSync
  })
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
