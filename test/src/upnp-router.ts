/** What a home router does for programs that ask it to open a port: miniupnpd, which many of them run. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aptInstall, type Host } from './hosts.ts'

export interface UpnpRouter {
  /** the ports that are open now, as the router's own rules have them */
  opened(): string[]
  stop(): Promise<void>
}

/** Whether there is miniupnpd; it is installed when it is missing. */
export function hasUpnpRouter(): boolean {
  const there = (): boolean => spawnSync('miniupnpd', ['--version'], { stdio: 'ignore' }).error == null
  if (!there()) aptInstall('miniupnpd', 'miniupnpd-nftables')
  return there()
}

/** The chains that it fills; all is let through that it has let in. */
const CHAINS = `table inet filter {
  chain miniupnpd { }
  chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
  chain prerouting_miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
  chain postrouting_miniupnpd { }
  chain postrouting { type nat hook postrouting priority 100; policy accept; jump postrouting_miniupnpd; }
}
`

/** Runs it on a router whose inner side is `lan` and whose outer one is `eth0`. */
export async function upnpRouter({ exec }: Host): Promise<UpnpRouter> {
  const dir = await mkdtemp(join(tmpdir(), 'hedgerow-router-'))
  const [command = '', ...before] = exec
  const run = (...args: string[]): string => execFileSync(command, [...before, ...args], { encoding: 'utf8' })
  const rules = join(dir, 'chains')
  const config = join(dir, 'config')
  await writeFile(rules, CHAINS)
  await writeFile(
    config,
    [
      'ext_ifname=eth0',
      'listening_ip=lan',
      'enable_upnp=yes',
      'enable_natpmp=no',
      'secure_mode=yes',
      'force_igd_desc_v1=no',
      `uuid=${randomUUID()}`,
      'upnp_table_name=filter',
      'upnp_nat_table_name=filter',
      'upnp_forward_chain=miniupnpd',
      'upnp_nat_chain=prerouting_miniupnpd',
      'upnp_nat_postrouting_chain=postrouting_miniupnpd',
      'allow 1024-65535 172.16.0.0/12 1024-65535',
      'deny 0-65535 0.0.0.0/0 0-65535',
      ''
    ].join('\n')
  )
  run('nft', '-f', rules)
  const daemon = spawn(command, [...before, 'miniupnpd', '-d', '-f', config, '-P', join(dir, 'pid')], {
    stdio: 'ignore'
  })
  const ended = once(daemon, 'exit')
  return {
    opened: () =>
      Array.from(
        run('nft', 'list', 'chain', 'inet', 'filter', 'prerouting_miniupnpd').matchAll(/dport (\d+) dnat/g),
        ([, port]) => port ?? ''
      ),
    async stop() {
      daemon.kill()
      await ended
      await rm(dir, { recursive: true, force: true })
    }
  }
}
