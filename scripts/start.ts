/**
 * `npm start`: a complete mesh on this machine, one relay and three workers, each a process of its own that finds the
 * others as it would on real hosts. The mesh is closed: its authority is made on the spot and kept. It runs until Ctrl-C.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EMBEDDED_SERVICES, startMesh } from './mesh.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const DEFAULT_PORT = 8080
const WORKERS = 3
const READY_TIMEOUT = 120_000

function fail(message: string, code: number): never {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}

const [argument] = process.argv.slice(2)
if (argument != null) {
  const help = `npm start takes no arguments but these settings:
  HEDGEROW_HTTP_PORT  the relay's port; the workers take the next ${WORKERS} (default: ${DEFAULT_PORT})
  HEDGEROW_DATA_DIR   where the peers keep their state (default: .hedgerow in this folder)
  LOG_LEVEL           how much the peers log (default: warn)
and those of the worker, which \`npm run daemon -- --help\` lists, for all of them
`
  if (['--help', '-h'].includes(argument)) process.stdout.write(help)
  else fail(`${argument}: ${help}`, 2)
  process.exit(0)
}

const port = Number(process.env.HEDGEROW_HTTP_PORT || DEFAULT_PORT)
if (!Number.isInteger(port) || port < 1 || port > 65535 - WORKERS)
  fail(
    `HEDGEROW_HTTP_PORT: ${JSON.stringify(process.env.HEDGEROW_HTTP_PORT)} is not usable: it must be a port number, with the next ${WORKERS} free too`,
    2
  )

const mesh = await startMesh({
  httpPort: port,
  workers: WORKERS,
  closed: true,
  dataDir: process.env.HEDGEROW_DATA_DIR || join(root, '.hedgerow'),
  // WebRTC on every address, because a browser on this machine offers it none of loopback.
  listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/0.0.0.0/udp/0/webrtc-direct', '/p2p-circuit', '/webrtc'],
  onPeer: ({ name, role, peerId, pid, url }) =>
    console.log(`peer ${name} role=${role} peer_id=${peerId} pid=${pid} http=${url}`),
  onExit: (name, how) => process.stderr.write(`${name} ended by itself (${how}); its lines above say why\n`)
}).catch(err => fail(err.message, 2))

/** One Ctrl-C comes several times: to the whole process group, and passed on by npm and by what started this. */
const SAME_SIGNAL = 1000
let endingSince: number | undefined
const end = async (): Promise<void> => {
  if (endingSince == null) {
    endingSince = performance.now()
    await mesh.stop()
    process.exit(0)
  } else if (performance.now() - endingSince > SAME_SIGNAL) {
    mesh.kill()
    process.exit(130)
  }
}
process.on('SIGINT', () => void end())
process.on('SIGTERM', () => void end())
process.on('SIGHUP', () => void end())
process.on('disconnect', () => void end())

try {
  await mesh.ready(AbortSignal.timeout(READY_TIMEOUT))
} catch (err) {
  if (endingSince == null) {
    process.stderr.write(`not ready after ${READY_TIMEOUT / 1000} s: ${err instanceof Error ? err.message : err}\n`)
    await mesh.stop()
    process.exit(1)
  }
}

if (endingSince == null) {
  const url = `http://127.0.0.1:${port}`
  console.log(`ready
${url}/  the console: a page that is a peer itself
${url}/docs  what this mesh answers, ${EMBEDDED_SERVICES.length} services on ${WORKERS} workers; try:

curl -s ${url}/service/ner -H 'content-type: application/json' -d '{"text":"Mrs Ada Obi owes Barclaycard £1,240.50, due 3 March 2026"}'
curl -s ${url}/service/rag/documents -H 'content-type: application/json' -d '{"text":"Breathing space pauses most interest, fees and enforcement for 60 days."}'
curl -s ${url}/service/rag -H 'content-type: application/json' -d '{"query":"how long are creditors held off?","top_k":1}'
curl -s ${url}/service/ocr -H 'content-type: application/pdf' --data-binary @examples/data/creditor-letter-scan.pdf
curl -s ${url}/service/upload -H 'content-type: application/pdf' --data-binary @examples/data/creditor-letter.pdf
curl -s ${url}/service/notes -H 'content-type: application/json' -d '{"notes":"Client: Ada Obi. Debts: Barclaycard £1,240.50, rent arrears £650.00. Advised 3 March 2026 by phone: breathing space, agreed."}'
curl -s ${url}/api/services
`)
  // Signed now: what it takes to sign would have been in the way of peers that start.
  const invite = await mesh.invite()
  console.log(`This mesh is closed: nobody joins without an invite. One more peer on this machine, with a data directory of its own:
HEDGEROW_INVITE=${invite} npm run daemon

Ctrl-C ends it.`)
}
