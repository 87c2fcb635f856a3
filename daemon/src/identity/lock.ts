import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../config/errors.ts'

const FILE = 'lock'
/** Bytes of a socket's path that every system takes. */
const MAX_PATH = 100

/**
 * Keeps a data directory for this process as long as it lives: two peers with one identity would contradict each other
 * without end. A socket, because it is free again however its process ends.
 *
 * @throws {ConfigError} when another process has it
 */
export async function lockDataDir(dataDir: string): Promise<void> {
  const path = socketPath(dataDir)
  if (await listens(path)) return
  if (await answers(path))
    throw new ConfigError(
      'HEDGEROW_DATA_DIR',
      `another process uses the data directory ${dataDir} now; end it, or name another directory`
    )
  await rm(path, { force: true })
  // Where sockets can't be made, nothing is locked; that is no reason not to start.
  await listens(path)
}

function socketPath(dataDir: string): string {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 32)
  if (process.platform === 'win32') return `\\\\.\\pipe\\hedgerow-${hash}`
  const inside = join(dataDir, FILE)
  return Buffer.byteLength(inside) <= MAX_PATH ? inside : join(tmpdir(), `hedgerow-${hash}.lock`)
}

function listens(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer(socket => socket.destroy())
  server.once('error', () => resolve(false)).listen(path, () => resolve(true))
  server.unref()
  return promise
}

function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path, () => {
    resolve(true)
    socket.destroy()
  })
  socket.once('error', () => resolve(false))
  return promise
}
