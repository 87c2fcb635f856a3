import { networkInterfaces } from 'node:os'
import type { Check, Verdict } from '../index.ts'
import { seenFrom, stunServers } from '../stun.ts'

/** Milliseconds for STUN servers to answer: a few tries. */
const PATIENCE = 2000

export const nat: Check = {
  id: 'nat',
  title: 'NAT',
  limit: PATIENCE + 1000,
  needs: ['join'],
  late: 'try again',
  async look({ observed, bootstrap }, signal) {
    const own = Object.values(networkInterfaces()).flatMap(list => list?.map(({ address }) => address) ?? [])
    const servers = stunServers(bootstrap?.iceServers ?? [])
    const mapped = await seenFrom(servers, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]))
    return judgeNat({ seen: [...observed].flatMap(ipOf), own, stun: servers.length, mapped })
  }
}

function ipOf(addr: string): string[] {
  const [, ip] = /^\/ip[46]\/([^/]+)\//.exec(addr) ?? []
  return ip == null ? [] : [ip]
}

const LOOPBACK = /^(127\.|::1$)/

/**
 * What is between this machine and others, by how they see it.
 *
 * @param seen as which others saw its connections @param own addresses of it @param stun servers that were asked
 * @param mapped `address:port` as which these saw one UDP socket
 */
export function judgeNat({
  seen,
  own,
  stun,
  mapped
}: {
  seen: string[]
  own: string[]
  stun: number
  mapped: string[]
}): Verdict {
  const all = [...seen, ...mapped.map(addr => addr.slice(0, addr.lastIndexOf(':')))]
  const outside = [...new Set(all)].filter(ip => !LOOPBACK.test(ip))
  if (stun > 0 && mapped.length === 0)
    return {
      state: 'wrong',
      found: `${outside.length === 0 ? '' : `this machine is seen as ${outside.join(', ')}; `}no STUN server that the relay names answers`,
      fix: 'let UDP out to it, or look at HEDGEROW_ICE_SERVERS on the relay; until then pages reach a worker here through relays only'
    }
  if (outside.length === 0)
    return {
      state: 'none',
      found:
        all.length > 0 ? 'the relay is on this machine, or behind a tunnel' : 'nobody has said how this machine is seen'
    }
  const translated = outside.filter(ip => !own.includes(ip))
  if (translated.length === 0)
    return { state: 'well', found: `none: it is seen as ${outside.join(', ')}, its own address` }
  return { state: 'well', found: `this machine is seen as ${translated.join(', ')}; ${kindOf(stun, mapped)}` }
}

function kindOf(stun: number, mapped: readonly string[]): string {
  if (stun === 0)
    return 'the relay names no STUN server (HEDGEROW_ICE_SERVERS), so its kind is not known, and only relayed ways lead through it'
  if (mapped.length === 1)
    return 'pages may find direct ways through it; which kind it is would take a second STUN server'
  return new Set(mapped).size === 1
    ? 'it has one port for all (a cone NAT), so pages find direct ways through it'
    : 'it has another port for each partner (a symmetric NAT), so mostly relayed ways lead through it'
}
