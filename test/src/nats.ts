/** Hosts behind NATs of their own, with a public host between them: the internet as most volunteers have it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { until } from './harness.ts'
import { aptInstall, type Host, hostsOnSwitch, type Range } from './hosts.ts'

/**
 * - `cone`: one public port for a socket whoever it talks to, and in comes only who was written to (a home router)
 * - `symmetric`: another port for each partner, which nobody can guess (some offices and mobile networks)
 */
export type NatKind = 'cone' | 'symmetric'

export interface NatNetwork {
  /** has a public address */
  open: Host
  /** so have these */
  others: Host[]
  /** each behind a NAT of its own */
  hidden: Host[]
  /** where these NATs are: the host that has the public address */
  routers: Host[]
  /** this process's own address: all of them reach it, and it reaches all of them, so that tests can look */
  address: string
  stop(): void
}

/**
 * @param kinds of the NATs
 * @param open hosts with public addresses. @default 1
 */
export function hostsBehindNats(kinds: NatKind[], range?: Range, open = 1): NatNetwork {
  const network = hostsOnSwitch(open + kinds.length, range)
  const others = network.hosts.slice(0, open)
  const routers = network.hosts.slice(open)
  const undo: Array<() => void> = [() => network.stop()]
  const stop = (): void => {
    for (const step of undo.splice(0).reverse()) step()
  }
  try {
    const [first] = others
    if (first == null) throw new Error('there is no public host')
    const hidden = routers.map((router, i) => behind(router, kinds[i] ?? 'cone', i, network.address, undo))
    return { open: first, others: others.slice(1), routers, hidden, address: network.address, stop }
  } catch (err) {
    stop()
    throw err
  }
}

function behind(router: Host, kind: NatKind, i: number, observer: string, undo: Array<() => void>): Host {
  const namespace = router.exec.at(-1) ?? ''
  const name = `${namespace}h`
  const third = Number(router.address.split('.')[2])
  const lan = `172.${20 + i}.${third}`
  run('ip', 'netns', 'add', name)
  undo.push(() => run('ip', 'netns', 'del', name))
  run('ip', 'link', 'add', 'lan', 'netns', namespace, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  run('ip', '-n', namespace, 'addr', 'add', `${lan}.1/24`, 'dev', 'lan')
  run('ip', '-n', namespace, 'link', 'set', 'lan', 'up')
  run('ip', '-n', name, 'link', 'set', 'lo', 'up')
  run('ip', '-n', name, 'addr', 'add', `${lan}.2/24`, 'dev', 'eth0')
  run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
  run('ip', '-n', name, 'route', 'add', 'default', 'via', `${lan}.1`)
  run(...inside(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'))
  const random = kind === 'symmetric' ? ['fully-random'] : []
  const nft = (...args: string[]): void => run(...inside(router, 'nft', ...args))
  nft('add', 'table', 'ip', 'nat')
  nft('add', 'chain', 'ip', 'nat', 'outward', '{ type nat hook postrouting priority 100; }')
  nft('add', 'rule', 'ip', 'nat', 'outward', 'oifname', 'eth0', 'masquerade', ...random)
  nft('add', 'chain', 'ip', 'nat', 'through', '{ type filter hook forward priority 0; }')
  nft('add', 'rule', 'ip', 'nat', 'through', 'ct', 'state', 'established,related', 'accept')
  nft('add', 'rule', 'ip', 'nat', 'through', 'ip', 'saddr', observer, 'accept')
  // Of a port that was opened on purpose.
  nft('add', 'rule', 'ip', 'nat', 'through', 'ct', 'status', 'dnat', 'accept')
  nft('add', 'rule', 'ip', 'nat', 'through', 'iifname', 'eth0', 'drop')
  // As routers do: what nobody asked for is dropped before it is remembered. Otherwise a partner's first datagram, when it
  // comes before ours to it has left, would take the very port that ours is about to get.
  nft('add', 'chain', 'ip', 'nat', 'inward', '{ type filter hook input priority 0; }')
  nft('add', 'rule', 'ip', 'nat', 'inward', 'iifname', 'eth0', 'ct', 'state', 'new', 'drop')
  run('ip', 'route', 'add', `${lan}.0/24`, 'via', router.address)
  undo.push(() => spawnSync('ip', ['route', 'del', `${lan}.0/24`], { stdio: 'ignore' }))
  return { exec: ['ip', 'netns', 'exec', name], address: `${lan}.2` }
}

const inside = ({ exec }: Host, ...command: string[]): [string, ...string[]] => [...exec, ...command] as [string]

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Whether there is coturn, a STUN and TURN server; it is installed when it is missing. */
export function hasStunServer(): boolean {
  const there = (): boolean => spawnSync('turnserver', ['--version'], { stdio: 'ignore' }).error == null
  if (!there()) aptInstall('coturn')
  return there()
}

const STUN_PORT = 3478

/** Runs a STUN server on a host. @returns its URL, as `HEDGEROW_ICE_SERVERS` takes it */
export async function stunServer(host: Host): Promise<{ url: string; stop(): Promise<void> }> {
  const [command, ...args] = inside(
    host,
    'turnserver',
    '-n',
    '--stun-only',
    '--no-tls',
    '--no-dtls',
    '--no-cli',
    '--log-file=stdout',
    `--pidfile=/tmp/hedgerow-turnserver-${process.pid}-${host.address}.pid`,
    `--listening-ip=${host.address}`,
    `--listening-port=${STUN_PORT}`
  )
  const server = spawn(command, args, { stdio: 'ignore' })
  const ended = once(server, 'exit')
  const stop = async (): Promise<void> => {
    server.kill()
    await ended
  }
  try {
    await until('the STUN server answers', () => bindingAnswered(host.address))
  } catch (err) {
    await stop()
    throw err
  }
  return { url: `stun:${host.address}:${STUN_PORT}`, stop }
}

/** RFC 8489, 5: a binding request is a header and no more. */
function bindingAnswered(address: string): Promise<boolean> {
  const request = Buffer.alloc(20)
  request.writeUInt16BE(0x0001, 0)
  request.writeUInt32BE(0x2112a442, 4)
  randomFillSync(request, 8)
  const socket = createSocket('udp4')
  return new Promise<boolean>(resolve => {
    const timer = setTimeout(() => resolve(false), 500)
    socket.once('message', () => {
      clearTimeout(timer)
      resolve(true)
    })
    socket.once('error', () => resolve(false))
    socket.send(request, STUN_PORT, address)
  }).finally(() => socket.close())
}
