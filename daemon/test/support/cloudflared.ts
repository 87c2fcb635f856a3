/** A folder with a program that stands in for `cloudflared` (`fixtures/cloudflared.mjs` says what it does). */
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const STAND_IN = fileURLToPath(new URL('../fixtures/cloudflared.mjs', import.meta.url))

export interface Script {
  does: 'work' | 'rate-limited' | 'no-network' | 'bad-token' | 'exit' | 'hang' | 'silent' | 'flood'
  ready?: boolean
  hostname?: string
  listen?: { host: string; port: number; key: string; cert: string }
  origin?: string
}

export interface Start {
  event: 'start'
  pid: number
  args: string[]
  token: string | null
  env: string[]
}

export interface StandIn {
  /** to be run */
  program: string
  /** Changes what it does, at its next answer or start. */
  change(script: Partial<Script>): Promise<void>
  starts(): Promise<Start[]>
  /** WebSockets that came through, by the name that was asked for */
  webSockets(): Promise<string[]>
  remove(): Promise<void>
}

export async function standIn(initial: Script): Promise<StandIn> {
  const dir = await mkdtemp(join(tmpdir(), 'hedgerow-tunnel-'))
  const file = join(dir, 'script.json')
  const journal = join(dir, 'journal')
  const program = join(dir, 'cloudflared')
  let script = initial
  const write = async (): Promise<void> => {
    await writeFile(`${file}.new`, JSON.stringify({ ...script, journal }))
    await rename(`${file}.new`, file)
  }
  await write()
  await writeFile(journal, '')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${STAND_IN}' '${file}' "$@"\n`)
  await chmod(program, 0o755)
  const entries = async (): Promise<Array<Start | { event: 'websocket'; host: string }>> =>
    (await readFile(journal, 'utf8'))
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
  return {
    program,
    async change(change) {
      script = { ...script, ...change }
      await write()
    },
    starts: async () => (await entries()).flatMap(entry => (entry.event === 'start' ? [entry] : [])),
    webSockets: async () => (await entries()).flatMap(entry => (entry.event === 'websocket' ? [entry.host] : [])),
    remove: () => rm(dir, { recursive: true, force: true })
  }
}
