import { type Command, InvalidArgumentError } from 'commander'
import { renderForwarded } from '../render/forward.ts'
import { styleFor } from '../render/style.ts'
import type { MeshSource } from '../source/index.ts'
import { EXAMPLES } from './examples.ts'
import { type Io, toJson } from './io.ts'

export interface ForwardCommandInit {
  io: Io
  signal: AbortSignal
  /** a command below the program */
  command(name: string, summary: string, examples: string): Command
  withSource(sub: Command, work: (source: MeshSource, json: boolean) => Promise<number>): Promise<void>
}

interface ForwardFlags {
  worker?: string
  dataClass?: string
  maxConnections: number
  verbose?: boolean
}

/** Connections at once: what a database allows. */
const MAX_CONNECTIONS = 128

export function addForwardCommand({ io, signal, command, withSource }: ForwardCommandInit): void {
  command('forward', 'open a TCP service of the mesh at a port of this machine', EXAMPLES.forward)
    .argument('<service>', 'name or alias of a service that speaks TCP')
    .argument('<port>', 'on 127.0.0.1; 0 takes any that is free', portNumber)
    .option('-w, --worker <peer>', 'only this worker may take the connections')
    .option('-c, --data-class <class>', 'what will pass: only workers that may see it take the connections')
    .option('--max-connections <n>', 'connections at once', positiveInteger, MAX_CONNECTIONS)
    .option('-v, --verbose', 'print a line for each connection when it has ended, not only for those that failed')
    .action(async (service: string, port: number, { verbose = false, ...flags }: ForwardFlags, sub: Command) => {
      const { forward } = await import('../commands/forward.ts')
      await withSource(sub, async (source, json) => {
        const style = styleFor(io.stderr, io.env)
        const say = (text: string): void => void io.stderr.write(`${text}\n`)
        await forward(
          source,
          { service, port, ...flags },
          {
            onListening(place) {
              const text = `${place.service} is at ${place.host}:${place.port}, until Ctrl-C`
              io.stdout.write(`${json ? toJson({ event: 'listening', ...place, via: source.via }) : text}\n`)
            },
            onConnection(report) {
              if (json) io.stdout.write(`${toJson({ event: 'connection', ...report })}\n`)
              else if (verbose || report.error != null) say(renderForwarded(report, style))
            },
            onDraining(open) {
              if (!json)
                say(
                  `${open === 1 ? 'one connection is' : `${open} connections are`} open; Ctrl-C again ends it at once`
                )
            }
          },
          signal
        )
        return 0
      })
    })
}

function portNumber(value: string): number {
  const port = Number(value)
  if (!/^\d{1,5}$/.test(value) || port > 65_535)
    throw new InvalidArgumentError('It must be a port from 1 to 65535, or 0 for any.')
  return port
}

function positiveInteger(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('It must be a whole number from 1 on.')
  return Number(value)
}
