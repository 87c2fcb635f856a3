import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'

/** A host of its own on this machine: a network namespace. */
export interface Host {
  /** put before a command, runs it on that host */
  exec: string[]
  address: string
}

/**
 * The first half of the addresses of a network. The second is of the internet as far as programs can tell, and nobody
 * there is reached from it, so that a test may have a small internet of its own.
 */
export type Range = typeof PRIVATE_RANGE | typeof INTERNET_RANGE
export const PRIVATE_RANGE = '10.77'
export const INTERNET_RANGE = '11.77'

export interface Network {
  hosts: Host[]
  /** this process's own address in that network: hosts and it reach each other */
  address: string
  /** nothing of this kind leaves or reaches a host until it is undone */
  drop(host: Host, what: 'udp' | 'everything'): () => void
  stop(): void
}

const ip = (...args: string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Whether hosts can be made here: Linux, root, and iproute2 and nftables, which are installed when they are missing. */
export function canMakeHosts(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const there = (): boolean => spawnSync('ip', ['-V']).status === 0 && spawnSync('nft', ['-v']).status === 0
  if (!there()) aptInstall('iproute2', 'nftables')
  return there()
}

/**
 * Installs packages of Debian quietly; whether it went well shows when they are used. One process after the other: apt
 * waits for nobody.
 */
export function aptInstall(...packages: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]): void => {
    spawnSync('flock', [join(tmpdir(), 'hedgerow-apt.lock'), 'apt-get', '-qq', ...args], { stdio: 'ignore', env })
  }
  apt('update')
  apt('install', '-y', '--no-install-recommends', ...packages)
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

/**
 * Hosts on one switch, to which this process is connected too. Each has an address and a default route, as WebRTC wants
 * it: a browser on a machine with loopback only has no address to offer.
 */
export function hostsOnSwitch(count: number, range: Range = PRIVATE_RANGE): Network {
  const tag = randomBytes(3).toString('hex')
  const bridge = `hg${tag}`
  const prefix = freePrefix(range)
  const made: string[] = []
  const stop = (): void => {
    process.off('exit', stop)
    // Their ends of the cables go with them.
    for (const name of made.splice(0)) ip('netns', 'del', name)
    spawnSync('ip', ['link', 'del', bridge], { stdio: 'ignore' })
  }
  process.once('exit', stop)
  try {
    ip('link', 'add', bridge, 'type', 'bridge')
    ip('addr', 'add', `${prefix}.254/24`, 'dev', bridge)
    ip('link', 'set', bridge, 'up')
    const hosts = Array.from({ length: count }, (_, i): Host => {
      const name = `hg${tag}${i}`
      const port = `hg${tag}p${i}`
      const address = `${prefix}.${i + 1}`
      ip('netns', 'add', name)
      made.push(name)
      ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
      ip('link', 'set', port, 'master', bridge, 'up')
      ip('-n', name, 'link', 'set', 'lo', 'up')
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      ip('-n', name, 'link', 'set', 'eth0', 'up')
      ip('-n', name, 'route', 'add', 'default', 'via', `${prefix}.254`)
      return { exec: ['ip', 'netns', 'exec', name], address }
    })
    return { hosts, address: `${prefix}.254`, drop, stop }
  } catch (err) {
    stop()
    throw err
  }
}

function drop({ exec }: Host, what: 'udp' | 'everything'): () => void {
  const nft = (...args: string[]): void => {
    const [command = '', ...rest] = exec
    execFileSync(command, [...rest, 'nft', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const table = `drop_${what}`
  nft('add', 'table', 'inet', table)
  for (const hook of ['input', 'output']) {
    nft('add', 'chain', 'inet', table, hook, `{ type filter hook ${hook} priority 0; }`)
    nft('add', 'rule', 'inet', table, hook, ...(what === 'udp' ? UDP : beyondLoopback(hook)), 'drop')
  }
  return () => nft('delete', 'table', 'inet', table)
}

const UDP = ['meta', 'l4proto', 'udp']

function beyondLoopback(hook: string): string[] {
  return [hook === 'input' ? 'iifname' : 'oifname', '!=', 'lo']
}

/** A network that nothing here uses: several tests may run on one machine. */
function freePrefix(range: Range): string {
  const used = Object.values(networkInterfaces()).flatMap(list => list?.map(({ address }) => address) ?? [])
  for (;;) {
    const prefix = `${range}.${randomInt(1, 255)}`
    if (!used.some(address => address.startsWith(`${prefix}.`))) return prefix
  }
}
