import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { replaceFile } from '../files/index.ts'

const FILE = 'p2p-port'

/**
 * Where to listen when nothing says so: every address, TCP and WebSocket, and a place on relays. The ports are chosen
 * once and kept, so that peers that remember this one find it after a restart.
 */
export async function defaultListen(dataDir: string): Promise<string[]> {
  const file = join(dataDir, FILE)
  const kept = await readFile(file, 'utf8').then(
    text =>
      text
        .split(' ')
        .map(Number)
        .filter(port => Number.isInteger(port) && port > 0 && port < 65536),
    () => []
  )
  const ports = await Promise.all(
    [0, 1].map(async i => (kept[i] != null && (await isFree(kept[i])) ? kept[i] : freePort()))
  )
  // Kept or not, this start goes well.
  await replaceFile(file, ports.join(' ')).catch(() => {})
  const [tcp, ws] = ports
  return [`/ip4/0.0.0.0/tcp/${tcp}`, `/ip6/::/tcp/${tcp}`, `/ip4/0.0.0.0/tcp/${ws}/ws`, '/p2p-circuit']
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, () => probe.close(() => resolve(true)))
  })
}

/** A port that nothing listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, () => {
      const address = probe.address()
      probe.close(() =>
        address != null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))
      )
    })
  })
}
