import { Command, InvalidArgumentError, Option } from 'commander'
import { dhtGet, dhtProviders, dhtTopology } from '../commands/dht.ts'
import { explainRequest } from '../commands/explain.ts'
import { inspectPeer } from '../commands/inspect.ts'
import { listPeers } from '../commands/peers.ts'
import { pingPeer } from '../commands/ping.ts'
import { listServices } from '../commands/services.ts'
import { renderProviders, renderTopology } from '../render/dht.ts'
import { renderExplain } from '../render/explain.ts'
import { renderAdvert, renderInspect } from '../render/inspect.ts'
import { renderPeers } from '../render/peers.ts'
import { renderPing, renderPingSummary } from '../render/ping.ts'
import { renderServices } from '../render/services.ts'
import type { Style } from '../render/style.ts'
import { type MeshSource, openSource, type SourceOptions } from '../source/index.ts'
import { VERSION } from '../version.ts'
import { addDoctorCommand } from './doctor.ts'
import { EXAMPLES } from './examples.ts'
import { addForwardCommand } from './forward.ts'
import { type Io, styleOf, toJson, writeLine } from './io.ts'
import { addKeyCommands } from './key-program.ts'
import { runTop } from './live.ts'
import { addMeshCommands } from './mesh.ts'
import { addTraceCommands } from './traces.ts'

interface GlobalOptions extends SourceOptions {
  json?: boolean
}

export interface ProgramContext {
  io: Io
  signal: AbortSignal
  /** called with the exit code of a command that ran */
  done(exitCode: number): void
}

/** The command line: which commands there are, what they take, and what each does with a source. */
export function createProgram({ io, signal, done }: ProgramContext): Command {
  const program = new Command('hedgerow')
    .description(
      'Looks into a Hedgerow mesh: who is in it, what they offer, how busy they are, and why a request went where it went.'
    )
    .version(VERSION, '-V, --version', 'print the version')
    .option('--daemon <url>', 'ask this daemon or relay (default: the one on this machine)')
    .option('--relay <url|multiaddr>', 'join the mesh through this relay, as a peer of its own', withCommas)
    .option('--key <key>', 'an API key of the daemon that is asked, where it wants one (default: HEDGEROW_KEY)')
    .option('--mesh <name>', "which mesh to join, when a relay's multiaddr doesn't tell")
    .option(
      '--invite <string>',
      'join a closed mesh by an invite of role client (default: HEDGEROW_INVITE, with --relay)'
    )
    .option('--credential <file>', 'join a closed mesh with a signed credential (default: HEDGEROW_CREDENTIAL)')
    .option('--json', 'print JSON, for programs')
    .helpOption('-h, --help', 'say how it is used')
    .helpCommand('help [command]', 'say how a command is used')
    .addHelpText('after', EXAMPLES.program)
    .showHelpAfterError('(hedgerow --help says what there is)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: text => io.stdout.write(text), writeErr: text => io.stderr.write(text) })
    .exitOverride()

  const command = (parent: Command, name: string, summary: string, examples: string): Command =>
    parent
      .command(name)
      .showHelpAfterError(
        `(hedgerow ${parent === program ? '' : `${parent.name()} `}${name} --help says how it is used)`
      )
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .addHelpText('after', examples)

  const withSource = async (
    sub: Command,
    work: (source: MeshSource, json: boolean) => Promise<number>
  ): Promise<void> => {
    const { json = false, ...options } = sub.optsWithGlobals<GlobalOptions>()
    const source = await openSource(options, { env: io.env, signal })
    try {
      done(await work(source, json))
    } finally {
      await source.close()
    }
  }

  /** A command that fetches something and shows it. */
  const show = <T>(
    sub: Command,
    fetch: (source: MeshSource) => Promise<T>,
    render: (report: T, style: Style) => string
  ): Promise<void> =>
    withSource(sub, async (source, json) => {
      const report = await fetch(source)
      await writeLine(io.stdout, json ? toJson(report, 2) : render(report, styleOf(io)))
      return 0
    })

  command(
    program,
    'peers',
    'list the peers of the mesh: what they offer, how busy they are, how they are reached',
    EXAMPLES.peers
  ).action((_options, sub: Command) => show(sub, source => listPeers(source, signal), renderPeers))

  command(
    program,
    'services',
    'list the services: how many workers each wants and has, and which have none',
    EXAMPLES.services
  ).action((_options, sub: Command) => show(sub, source => listServices(source, signal), renderServices))

  command(program, 'inspect', 'show everything about one peer', EXAMPLES.inspect)
    .argument('<peer>', 'its name, its id, or the beginning or end of its id')
    .action((peer: string, _options, sub: Command) =>
      show(sub, source => inspectPeer(source, peer, signal), renderInspect)
    )

  command(program, 'ping', 'measure the round trip to a peer', EXAMPLES.ping)
    .argument('<peer>', 'its name, its id, or the beginning or end of its id')
    .option('-c, --count <n>', 'how often', positiveInteger, 4)
    .option('-i, --interval <seconds>', 'time between two', seconds, 0.5)
    .action((peer: string, { count, interval }: { count: number; interval: number }, sub: Command) =>
      withSource(sub, async (source, json) => {
        const style = styleOf(io)
        const report = await pingPeer(
          source,
          peer,
          {
            count,
            interval: interval * 1000,
            onPing: ping => {
              if (!json) io.stdout.write(`${renderPing(ping, style)}\n`)
            }
          },
          signal
        )
        await writeLine(io.stdout, json ? toJson(report, 2) : renderPingSummary(report))
        return report.answered > 0 ? 0 : 1
      })
    )

  command(program, 'call', 'send a request to a service and print its answer', EXAMPLES.call)
    .argument('<service[/path]>', 'name or alias of the service, and the path below it')
    .option('-X, --method <method>', 'HTTP method (default: POST with data, else GET)')
    .option('-H, --header <header>', "a request header, as in 'Name: value'; may be repeated", collect)
    .option('-d, --data <data>', 'the body: text, @file, or @- for stdin')
    .option('-w, --worker <peer>', 'only this worker may answer')
    .option('-t, --timeout <seconds>', 'how long to wait for the whole answer', seconds)
    .option('--explain', 'say afterwards why the request went where it went')
    .action(async (target: string, { header = [], explain = false, ...options }: CallFlags, sub: Command) => {
      const [{ prepareCall }, { runCall }] = await Promise.all([import('../commands/call.ts'), import('./call.ts')])
      const prepared = await prepareCall(target, { ...options, headers: header }, io.stdin)
      await withSource(sub, (source, json) => runCall(source, prepared, { json, explain }, io, signal))
    })

  command(program, 'explain', 'say why a request went where it went', EXAMPLES.explain)
    .argument('<request-id>', 'as `hedgerow call` prints it, or the Hedgerow-Request-Id header of an answer', requestId)
    .action((id: string, _options, sub: Command) =>
      show(sub, source => explainRequest(source, id, signal), renderExplain)
    )

  addForwardCommand({
    io,
    signal,
    command: (name, summary, examples) => command(program, name, summary, examples),
    withSource
  })

  addTraceCommands({
    io,
    signal,
    done,
    command: (name, summary, examples) => command(program, name, summary, examples),
    withSource,
    parseRequestId: requestId
  })

  const dht = command(program, 'dht', 'look into the distributed hash table', EXAMPLES.dht)
  command(dht, 'providers', 'who is written down as offering a service, walked afresh', EXAMPLES.dhtProviders)
    .argument('<service>', 'name or alias')
    .action((service: string, _options, sub: Command) =>
      show(sub, source => dhtProviders(source, service, signal), renderProviders)
    )
  command(dht, 'get', "fetch a peer's advert from where it lies", EXAMPLES.dhtGet)
    .argument('<peer>', 'its name, its id, or the beginning or end of its id')
    .action((peer: string, _options, sub: Command) =>
      show(
        sub,
        source => dhtGet(source, peer, signal),
        (report, style) => renderAdvert(report.advert, style)
      )
    )
  command(dht, 'topology', 'peers in the routing table, and open connections', EXAMPLES.dhtTopology).action(
    (_options, sub: Command) => show(sub, source => dhtTopology(source, signal), renderTopology)
  )

  command(program, 'top', 'watch services and workers at work', EXAMPLES.top)
    .option('-i, --interval <seconds>', 'time between two looks', seconds, 1)
    .addOption(new Option('-n, --count <n>', 'end after so many looks').argParser(positiveInteger))
    .action(({ interval, count }: { interval: number; count?: number }, sub: Command) =>
      withSource(sub, async (source, json) => {
        await runTop(source, { interval: interval * 1000, json, ...(count == null ? {} : { count }) }, io, signal)
        return 0
      })
    )

  addDoctorCommand({
    io,
    signal,
    done,
    command: (name, summary, examples) => command(program, name, summary, examples)
  })
  addMeshCommands(program, { io, signal, command, done, show })
  addKeyCommands(program, { io, done, command })

  return program
}

interface CallFlags {
  method?: string
  header?: string[]
  data?: string
  worker?: string
  timeout?: number
  explain?: boolean
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

function withCommas(value: string, before?: string): string {
  return before == null ? value : `${before},${value}`
}

function requestId(value: string): string {
  if (!/^[\w.:-]{1,128}$/.test(value)) throw new InvalidArgumentError('It must be letters, digits and hyphens.')
  return value
}

function positiveInteger(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It must be a whole number from 1 on.')
  return Number(value)
}

function seconds(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !(number >= 0.01 && number <= 86_400))
    throw new InvalidArgumentError('It must be a number of seconds from 0.01 to 86400.')
  return number
}
