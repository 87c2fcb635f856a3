import { networkInterfaces } from 'node:os'
import type { Check, Verdict } from '../index.ts'

export const nat: Check = {
  id: 'nat',
  title: 'NAT',
  limit: 1000,
  needs: ['join'],
  late: 'try again',
  async look({ observed, bootstrap }) {
    const own = Object.values(networkInterfaces()).flatMap(list => list?.map(({ address }) => address) ?? [])
    return judgeNat({ seen: [...observed].flatMap(ipOf), own, stun: bootstrap?.iceServers.length ?? 0 })
  }
}

function ipOf(addr: string): string[] {
  const [, ip] = /^\/ip[46]\/([^/]+)\//.exec(addr) ?? []
  return ip == null ? [] : [ip]
}

const LOOPBACK = /^(127\.|::1$)/

/**
 * As far as connections out tell; which kind of NAT it is they don't.
 *
 * @param seen as which others saw this machine @param own addresses of it @param stun servers that the relay names
 */
export function judgeNat({ seen, own, stun }: { seen: string[]; own: string[]; stun: number }): Verdict {
  const outside = [...new Set(seen)].filter(ip => !LOOPBACK.test(ip))
  if (outside.length === 0)
    return {
      state: 'none',
      found:
        seen.length > 0
          ? 'the relay is on this machine, or behind a tunnel'
          : 'nobody has said how this machine is seen'
    }
  const translated = outside.filter(ip => !own.includes(ip))
  if (translated.length === 0)
    return { state: 'well', found: `none: it is seen as ${outside.join(', ')}, its own address` }
  const way =
    stun > 0
      ? 'the relay names STUN servers for direct ways through it'
      : 'the relay names no STUN server (HEDGEROW_ICE_SERVERS), so only relayed ways lead through it'
  return { state: 'well', found: `this machine is seen as ${translated.join(', ')}; ${way}` }
}
