import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'

/** A host of its own on this machine: a network namespace. */
export interface Host {
  /** put before a command, runs it on that host */
  exec: string[]
  address: string
}

const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Whether hosts can be made here: Linux, root, and iproute2, which is installed when it is missing. */
export function canMakeHosts(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const there = (): boolean => spawnSync('ip', ['-V']).status === 0
  if (!there()) {
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' })
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'iproute2'], { stdio: 'ignore' })
  }
  return there()
}

/** Two hosts on one cable, with nothing else in reach. */
export function twoHosts(): { hosts: [Host, Host]; stop(): void } {
  const tag = randomBytes(3).toString('hex')
  const names = [`hg${tag}a`, `hg${tag}b`]
  const made: string[] = []
  const stop = (): void => {
    for (const name of made) ip('netns', 'del', name)
  }
  try {
    for (const name of names) {
      ip('netns', 'add', name)
      made.push(name)
    }
    const [a = '', b = ''] = names
    ip('link', 'add', 'eth0', 'netns', a, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', b)
    const hosts = names.map((name, i): Host => {
      const address = `10.77.0.${i + 1}`
      ip('-n', name, 'link', 'set', 'lo', 'up')
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      ip('-n', name, 'link', 'set', 'eth0', 'up')
      ip('-n', name, 'route', 'add', 'default', 'dev', 'eth0')
      return { exec: ['ip', 'netns', 'exec', name], address }
    })
    const [first, second] = hosts
    if (first == null || second == null) throw new Error('two hosts were asked for')
    return { hosts: [first, second], stop }
  } catch (err) {
    stop()
    throw err
  }
}
