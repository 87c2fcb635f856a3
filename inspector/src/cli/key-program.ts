import { RIGHTS, type Right } from '@hedgerow/daemon/access'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type CreatedKey, createKey, dataDirOf, listKeys, revokeKey } from '../commands/key.ts'
import { aboutCreatedKey, renderCreatedKey, renderKeys } from '../render/key.ts'
import { EXAMPLES } from './examples.ts'
import { type Io, styleOf, toJson, writeLine } from './io.ts'

export interface KeyProgramContext {
  io: Io
  done(exitCode: number): void
  /** makes a command as all are made */
  command(parent: Command, name: string, summary: string, examples: string): Command
}

interface KeyFlags {
  dataDir?: string
  json?: boolean
}

/** `hedgerow key`: works on a data directory, and asks nobody. */
export function addKeyCommands(program: Command, { io, done, command }: KeyProgramContext): void {
  const key = command(program, 'key', 'make, list and revoke the API keys of a peer on this machine', EXAMPLES.key)
  const dataDir = (): Option =>
    new Option(
      '--data-dir <folder>',
      "the peer's data directory (default: HEDGEROW_DATA_DIR, else where the peer of this machine keeps it)"
    )
  const act = async <T>(
    sub: Command,
    work: (dir: string) => Promise<T>,
    render: (report: T, style: ReturnType<typeof styleOf>) => string
  ): Promise<void> => {
    const flags = sub.optsWithGlobals<KeyFlags>()
    const report = await work(await dataDirOf(flags.dataDir, io.env))
    await writeLine(io.stdout, flags.json === true ? toJson(report, 2) : render(report, styleOf(io)))
    done(0)
  }

  command(key, 'create', 'make a key and print it, this once', EXAMPLES.keyCreate)
    .argument('<name>', 'whose it is, for people', keyName)
    .addOption(dataDir())
    .addOption(
      new Option('--rights <list>', `what it is good for: ${RIGHTS.join(', ')}; admin includes read and call`)
        .argParser(rights)
        .default(['call'], 'call')
    )
    .option('--services <list>', 'names of the only services that it may call (default: all)', names)
    .option(
      '--expires <time>',
      'how long it is good, as in 90d or 12h, or until when, as in 2027-01-31 (default: for good)',
      lifetime
    )
    .option('--rate <n>', 'requests a second, and twice as many at once (default: 100)', rate)
    .action(async (name: string, { services, expires, ...options }: CreateFlags, sub: Command) => {
      const limits = {
        rights: options.rights,
        services: services ?? '*',
        ...(expires == null ? {} : { lifetime: expires }),
        ...(options.rate == null ? {} : { rate: options.rate })
      } as const
      const work = (dir: string): Promise<CreatedKey> => createKey(dir, name, limits, Date.now())
      if (io.stdout.isTTY === true || sub.optsWithGlobals<KeyFlags>().json === true)
        return act(sub, work, renderCreatedKey)
      // For a script or a file: the key alone.
      const created = await work(await dataDirOf(sub.optsWithGlobals<KeyFlags>().dataDir, io.env))
      await writeLine(io.stderr, aboutCreatedKey(created))
      await writeLine(io.stdout, created.key)
      done(0)
    })

  command(key, 'list', 'show the keys: whose, for what, until when', EXAMPLES.keyList)
    .addOption(dataDir())
    .action((_options, sub: Command) => act(sub, dir => listKeys(dir, Date.now()), renderKeys))

  command(key, 'revoke', 'make a key worthless; a running peer refuses it within a second', EXAMPLES.keyRevoke)
    .argument('<key>', 'its id, its name, or the key itself')
    .addOption(dataDir())
    .action((which: string, _options, sub: Command) => act(sub, dir => revokeKey(dir, which, Date.now()), renderKeys))
}

interface CreateFlags {
  rights: Right[]
  services?: string[]
  expires?: number
  rate?: number
}

function keyName(value: string): string {
  if (value.trim() === '' || value.length > 200) throw new InvalidArgumentError('It must have 1 to 200 characters.')
  return value
}

function list(value: string): string[] {
  return value
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
}

function rights(value: string): Right[] {
  const found = list(value).map(one => {
    const right = RIGHTS.find(known => known === one)
    if (right == null) throw new InvalidArgumentError(`There is no right ${one}; there are ${RIGHTS.join(', ')}.`)
    return right
  })
  if (found.length === 0) throw new InvalidArgumentError('It must name one right or more.')
  return found
}

function names(value: string): string[] {
  const found = list(value)
  if (found.length === 0 || found.some(one => !/^[a-z0-9][a-z0-9-]{0,62}$/.test(one)))
    throw new InvalidArgumentError('They must be names of services, comma-separated.')
  return found
}

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, s: 1000 }

/** Milliseconds from now. */
function lifetime(value: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(value) ?? []
  const time = count == null ? dateIn(value) - Date.now() : Number(count) * (UNITS[unit] ?? 0)
  if (time > 0) return time
  throw new InvalidArgumentError(
    'It must be a time from now, as in 90d, 12h or 30m, or a date to come, as in 2027-01-31.'
  )
}

function dateIn(value: string): number {
  return /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
}

function rate(value: string): number {
  const number = Number(value)
  if (!(number > 0 && number <= 1_000_000)) throw new InvalidArgumentError('It must be a number of requests a second.')
  return number
}
