/** Connections as a test makes them, and what comes of them. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createCipheriv, createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { until } from './harness.ts'

export interface Place {
  host: string
  port: number
}

const HEDGEROW = fileURLToPath(new URL('../../inspector/bin/hedgerow.js', import.meta.url))

export interface Forward extends Place {
  child: ChildProcess
  /** what it has printed about connections */
  connections(): Array<{
    request_id: string
    sent: number
    received: number
    worker: string
    path: string
    error?: string
  }>
  stop(): Promise<number | null>
}

/** `hedgerow forward` as a user runs it. */
export async function startForward(service: string, env: Record<string, string>, ...args: string[]): Promise<Forward> {
  const child = spawn(process.execPath, [HEDGEROW, 'forward', service, '0', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }
  })
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
  })
  const ended = once(child, 'close')
  const lines = () =>
    out
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
  await until('it listens', async () => {
    assert.equal(child.exitCode, null, err)
    return out.includes('\n')
  })
  const { host, port } = lines()[0]
  return {
    child,
    host,
    port,
    connections: () => lines().filter(({ event }) => event === 'connection'),
    async stop() {
      child.kill('SIGINT')
      const [code] = await ended
      return code
    }
  }
}

/** The same by way of a shell, as `npx` does it. @returns the shell, and what it has started */
export async function startForwardByShell(service: string, env: Record<string, string>) {
  const shell = spawn(
    'sh',
    ['-c', '"$0" "$@" & echo $!; wait', process.execPath, HEDGEROW, 'forward', service, '0', '--json'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }
    }
  )
  let out = ''
  shell.stdout.on('data', chunk => {
    out += chunk
  })
  await until('it listens', async () => out.split('\n').length > 2)
  const [pid, listening] = out.split('\n')
  const { host, port }: Place = JSON.parse(listening ?? '')
  return { shell, pid: Number(pid), host, port }
}

/** Opens a connection whose two directions end by themselves. */
export async function dial({ host, port }: Place): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  socket.on('error', () => {})
  return socket
}

/** Says a line and returns all that comes until the other side ends. @throws when it is reset */
export async function ask(place: Place, line: string): Promise<string> {
  const socket = await dial(place)
  socket.end(`${line}\n`)
  return (await readAll(socket)).toString()
}

/** @throws when the connection is reset */
export async function readAll(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** The next bytes. */
export async function next(socket: Socket): Promise<string> {
  const [piece] = await once(socket, 'data')
  socket.pause()
  return String(piece)
}

/** How a connection ends. */
export async function endOf(socket: Socket): Promise<'ended' | 'reset'> {
  socket.resume()
  if (socket.errored != null) return 'reset'
  if (socket.readableEnded) return 'ended'
  return new Promise(resolve => {
    socket.once('error', () => resolve('reset')).once('end', () => resolve('ended'))
  })
}

/** The bytes that the fixture `wire` sends, and their digest. */
export function* wireBytes(size: number): Generator<Buffer> {
  const piece = 64 * 1024
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16))
  const zeros = Buffer.alloc(piece)
  for (let left = size; left > 0; left -= piece) yield cipher.update(zeros.subarray(0, Math.min(left, piece)))
}

export function digestOf(size: number): string {
  const hash = createHash('sha256')
  for (const piece of wireBytes(size)) hash.update(piece)
  return hash.digest('hex')
}

/** Asks a peer's HTTP port for a connection to a service. */
export async function upgradeTo(
  url: string,
  service: string,
  headers: Record<string, string> = {}
): Promise<{
  status: number
  headers: NodeJS.Dict<string | string[]>
  socket?: Socket
  problem?: { code: string; detail: string }
}> {
  const { hostname, port } = new URL(url)
  const sent = request({
    createConnection: () => connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true }),
    path: `/service/${service}`,
    headers: { host: `${hostname}:${port}`, connection: 'Upgrade', upgrade: 'hedgerow-forward', ...headers }
  })
  return new Promise((resolve, reject) => {
    sent.once('error', reject)
    sent.once('upgrade', (answer, socket: Socket, head) => {
      if (head.byteLength > 0) socket.unshift(head)
      socket.on('error', () => {})
      resolve({ status: 101, headers: answer.headers, socket })
    })
    sent.once('response', async answer => {
      const pieces: Buffer[] = []
      for await (const piece of answer) pieces.push(piece)
      const problem = JSON.parse(Buffer.concat(pieces).toString())
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, problem })
    })
    sent.end()
  })
}
