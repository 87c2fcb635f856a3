/** A PostgreSQL server of the test's own, from Debian's package. */
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './harness.ts'
import { aptInstall } from './hosts.ts'
import type { Place } from './tcp.ts'

const VERSIONS = '/usr/lib/postgresql'
const USER = 'postgres'
export const PASSWORD = 'correct horse'

export interface Postgres extends Place {
  /** Ends it, and all of its connections, at once. */
  stop(): Promise<void>
}

/** The folder of its programs; installs them where that is possible. */
export function postgresPrograms(): string | undefined {
  const find = (): string | undefined => {
    const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : []
    return versions.map(version => join(VERSIONS, version, 'bin')).find(bin => existsSync(join(bin, 'postgres')))
  }
  if ((find() == null || spawnSync('psql', ['--version']).status !== 0) && process.getuid?.() === 0)
    aptInstall('postgresql')
  return find()
}

/** As its own user where this one is root, as which it doesn't run. */
function asItsUser(command: string[]): string[] {
  return process.getuid?.() === 0 ? ['runuser', '-u', USER, '--', ...command] : command
}

export async function startPostgres(programs: string): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'hedgerow-postgres-'))
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD)
  if (process.getuid?.() === 0) {
    const [uid = 0, gid = 0] = ['-u', '-g'].map(flag => Number(spawnSync('id', [flag, USER]).stdout))
    for (const path of [folder, passwordFile]) chownSync(path, uid, gid)
  }
  const [program = '', ...args] = asItsUser([
    join(programs, 'initdb'),
    ...['-D', data, '-U', 'hedgerow', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--no-sync']
  ])
  const made = spawnSync(program, args, { encoding: 'utf8', cwd: folder })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const port = await freePort()
  const place = { host: '127.0.0.1', port }
  const [server = '', ...serverArgs] = asItsUser([
    join(programs, 'postgres'),
    ...['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off']
  ])
  const child = spawn(server, serverArgs, { stdio: 'ignore', cwd: folder })
  const ended = new Promise(resolve => child.once('exit', resolve))
  await until('PostgreSQL answers', async () => psql(place, 'select 1').status === 0)
  return {
    ...place,
    async stop() {
      const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
      // Immediate: it says nothing more to anybody.
      process.kill(Number(pid), 'SIGQUIT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** One run of `psql` over TCP. */
export function psql(
  { host, port }: Place,
  ...commands: string[]
): { status: number | null; out: string; err: string } {
  const flags = ['-h', host, '-p', String(port), '-U', 'hedgerow', '-d', 'postgres', '-X', '-A', '-t', '-q']
  const { status, stdout, stderr } = spawnSync('psql', [...flags, ...commands.flatMap(one => ['-c', one])], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
    env: { ...process.env, PGPASSWORD: PASSWORD, PGCONNECT_TIMEOUT: '15', PGAPPNAME: 'hedgerow' }
  })
  return { status, out: stdout, err: stderr }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address != null ? address.port : 0
}
