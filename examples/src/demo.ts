/**
 * `npm run demo`: the journey through the mesh that runs on this machine, or through one that it starts for the
 * occasion, with who did each step.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMesh } from '@hedgerow/scripts/mesh'
import { journey } from './journey.ts'

const running = `http://127.0.0.1:${process.env.HEDGEROW_HTTP_PORT || 8080}`

async function isRunning(url: string): Promise<boolean> {
  const health = await fetch(`${url}/health`).catch(() => undefined)
  return health?.ok === true
}

async function namesOf(url: string): Promise<Map<string, string>> {
  const { workers } = await (await fetch(`${url}/api/admin/workers`)).json()
  return new Map(workers.map((worker: { peer_id: string; worker_id: string }) => [worker.peer_id, worker.worker_id]))
}

async function show(url: string): Promise<void> {
  const names = await namesOf(url)
  let number = 0
  for await (const { title, service, worker, path, attempts, milliseconds, result, excerpt, requestId } of journey(
    url
  )) {
    console.log(
      `\n${++number}. ${title}\n   ${result}\n   ${service} on ${names.get(worker) ?? worker}, ${path}, ${duration(milliseconds)}, ${attempts} attempt${attempts === 1 ? '' : 's'}, request ${requestId}`
    )
    if (excerpt != null) console.log(`\n${excerpt.replace(/^/gm, '   | ')}\n   | ...`)
  }
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

try {
  if (await isRunning(running)) {
    console.log(`through the mesh at ${running}`)
    await show(running)
  } else {
    console.log(`no mesh runs at ${running} (npm start would run one); starting one for this demo...`)
    const dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-demo-'))
    const mesh = await startMesh({ httpPort: 0, workers: 3, dataDir, logToFile: true })
    try {
      await mesh.ready(AbortSignal.timeout(120_000))
      await show(mesh.relay.url)
    } finally {
      await mesh.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
  }
} catch (err) {
  console.error(err instanceof Error ? err.message : err)
  process.exitCode = 1
}
