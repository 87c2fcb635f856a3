import pino, { type DestinationStream } from 'pino'

/** Bytes of log that are gathered into one write, of which pino makes none above 16 KiB ... */
const LOG_BUFFER = 12 * 1024
/** ... unless it takes longer than this, in milliseconds: whoever follows a log doesn't notice. */
const LOG_DELAY = 100
/** Bytes that wait while the log can't be written; what is more is lost. */
const LOG_BACKLOG = 256 * 1024

/** stderr, for programs: JSON lines. A write of its own for each would cost a request as much as its encryption does. */
export function jsonLines(): DestinationStream {
  const destination = pino.destination({
    dest: 2,
    sync: false,
    minLength: LOG_BUFFER,
    periodicFlush: LOG_DELAY,
    maxLength: LOG_BACKLOG
  })
  outliveFullDisk(destination)
  return destination
}

/** stderr, for a person who watches: a line of text each, with who says it, as several peers may share a terminal. */
export async function textLines(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    destination: 2,
    sync: true,
    colorize: process.env.NO_COLOR == null,
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    ignore: 'pid,hostname,peer,service',
    messageFormat: '{peer}{if service} {service}{end}: {msg}'
  })
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
