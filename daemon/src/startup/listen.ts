import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { replaceFile } from '../files/index.ts'

const FILE = 'p2p-port'

/**
 * Where to listen when nothing says so: every address, by TCP, WebSocket and WebRTC, and a place on relays, through
 * which WebRTC is arranged too. The ports are chosen once and kept, so that peers that remember this one find it after a
 * restart.
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
    [isFree, isFree, isFreeUdp].map(async (isUsable, i) => {
      const port = kept[i]
      if (port != null && (await isUsable(port))) return port
      return isUsable === isFree ? freePort() : freeUdpPort()
    })
  )
  // Kept or not, this start goes well.
  await replaceFile(file, ports.join(' ')).catch(() => {})
  const [tcp, ws, udp] = ports
  return [
    `/ip4/0.0.0.0/tcp/${tcp}`,
    `/ip6/::/tcp/${tcp}`,
    `/ip4/0.0.0.0/tcp/${ws}/ws`,
    `/ip4/0.0.0.0/udp/${udp}/webrtc-direct`,
    '/p2p-circuit',
    '/webrtc'
  ]
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, () => probe.close(() => resolve(true)))
  })
}

function isFreeUdp(port: number): Promise<boolean> {
  return bindUdp(port).then(
    () => true,
    () => false
  )
}

/** A UDP port that nothing listens on now. */
export function freeUdpPort(): Promise<number> {
  return bindUdp(0)
}

function bindUdp(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createSocket('udp4')
    probe.once('error', reject)
    probe.bind(port, () => {
      const { port: bound } = probe.address()
      probe.close(() => resolve(bound))
    })
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
