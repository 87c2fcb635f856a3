import type { Command } from 'commander'
import { renderResult, renderSummary } from '../render/doctor.ts'
import { EXAMPLES } from './examples.ts'
import { type Io, styleOf, toJson, writeLine } from './io.ts'

export interface DoctorCommandInit {
  io: Io
  signal: AbortSignal
  done(exitCode: number): void
  /** a command below the program */
  command(name: string, summary: string, examples: string): Command
}

interface Flags {
  services?: string[]
  json?: boolean
  daemon?: string
  relay?: string
  key?: string
  mesh?: string
  invite?: string
  credential?: string
}

/** `hedgerow doctor`: says as it goes what works; a program gets all of it at the end. */
export function addDoctorCommand({ io, signal, done, command }: DoctorCommandInit): void {
  command('doctor', 'say what works from this machine and what does not, with the fix for each', EXAMPLES.doctor)
    .argument('[url]', 'of a relay (default: --relay, HEDGEROW_RELAY, else one that the daemon here knows)')
    .option('-s, --services <names>', 'try the routes of these services only, comma-separated', names)
    .action(async (url: string | undefined, _options, sub: Command) => {
      const { examine } = await import('../commands/doctor/index.ts')
      const { json = false, relay, services, ...flags } = sub.optsWithGlobals<Flags>()
      const style = styleOf(io)
      const named = url ?? relay?.split(',')[0]
      const report = await examine(
        {
          ...flags,
          ...(named == null ? {} : { url: named }),
          ...(services == null ? {} : { services }),
          env: io.env,
          onResult: result => {
            if (!json) io.stdout.write(`${renderResult(result, style)}\n`)
          }
        },
        signal
      )
      await writeLine(io.stdout, json ? toJson(report, 2) : `\n${renderSummary(report)}`)
      done(report.exit_code)
    })
}

function names(value: string): string[] {
  return value
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
}
