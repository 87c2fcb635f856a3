import { Command } from 'commander'
import { addSettings, readSettings, type Setting } from './index.ts'
import * as parsers from './parsers.ts'
import { type PeerSettings, peerSettings } from './peer-settings.ts'
import { TRACES_HELP } from './traces-help.ts'
import { TUNNEL_HELP } from './tunnel-settings.ts'

export interface DaemonSettings extends PeerSettings {
  services: string[]
  forbidServices: string[]
  servicesDir: string[]
  catalogue: string[]
  dockerSocket?: string
  workerType: 'auto' | 'cpu' | 'gpu' | 'storage' | 'edge'
  cores?: number
  memory?: number
}

const SETTINGS: Setting[] = [
  ...peerSettings({ role: 'daemon', httpPort: 8000, corsOrigins: [] }),
  {
    flags: '--services <list>',
    env: 'HEDGEROW_SERVICES',
    help: 'run these, whatever the others run',
    default: [],
    parse: parsers.names
  },
  {
    flags: '--forbid-services <list>',
    env: 'HEDGEROW_FORBID_SERVICES',
    help: 'never run these; * = none but those of --services',
    default: [],
    parse: parsers.namesOrAll
  },
  {
    flags: '--services-dir <folders>',
    env: 'HEDGEROW_SERVICES_DIR',
    help: 'folders with further service manifests',
    default: [],
    parse: parsers.list
  },
  {
    flags: '--catalogue <list>',
    env: 'HEDGEROW_CATALOGUE',
    help: 'run these, as containers: ollama, vllm, chroma, postgresql, minio (services/catalogue)',
    default: [],
    parse: parsers.names
  },
  {
    flags: '--docker-socket <place>',
    env: 'HEDGEROW_DOCKER_SOCKET',
    help: "the engine that runs services in containers, Docker's or Podman's: a path, a tcp:// URL, or off; whoever may use it is root on this machine (default: DOCKER_HOST, else the usual paths)",
    parse: parsers.dockerSocket
  },
  {
    flags: '--worker-type <kind>',
    env: 'WORKER_TYPE',
    help: 'auto|cpu|gpu|storage|edge: which services this machine is for',
    default: 'auto',
    parse: parsers.oneOf('auto', 'cpu', 'gpu', 'storage', 'edge')
  },
  { flags: '--cores <n>', env: 'HEDGEROW_CORES', help: 'cores to lend (default: all)', parse: parsers.count },
  { flags: '--memory <MiB>', env: 'HEDGEROW_MEMORY_MB', help: 'memory to lend (default: all)', parse: parsers.count }
]

/** @throws {ConfigError} @throws {NothingToDo} after --help */
export function readDaemonSettings(argv: string[], version: string): DaemonSettings {
  const command = new Command('hedgerow-daemon')
    .description('Lends this machine to a Hedgerow mesh: finds out what it can do, runs services, serves requests.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'say how it is used')
    .addHelpText(
      'after',
      `
With no setting at all it starts a mesh of its own and says how others join.

For the services that it runs:
  HEDGEROW_LLM_URL  an OpenAI-compatible server (Ollama, vLLM, llama.cpp) that llm-inference offers; without it the
                    usual ports of this machine are looked at, or what the catalogue runs
  HEDGEROW_POSTGRES_PASSWORD, HEDGEROW_MINIO_PASSWORD, HEDGEROW_OLLAMA_MODEL, HEDGEROW_VLLM_MODEL
                    for entries of the catalogue; each manifest there names all of its own

${TUNNEL_HELP}

${TRACES_HELP}

Examples:
  HEDGEROW_RELAY=https://relay.example.org hedgerow-daemon         lend this machine to that mesh
  HEDGEROW_INVITE=eyJ... hedgerow-daemon                           lend it to a closed mesh: an invite is all it needs
  hedgerow-daemon --relay https://relay.example.org --cores 4      the same, but not all of it
  hedgerow-daemon --services ner,notes --forbid-services '*'       run these two and nothing else
  HEDGEROW_CATALOGUE=ollama hedgerow-daemon                        run Ollama in a container, and offer /v1 with it

Exit codes: 0 ended in order   1 failed   2 a setting is wrong`
    )
  return readSettings(addSettings(command, SETTINGS), SETTINGS, argv) as unknown as DaemonSettings
}
