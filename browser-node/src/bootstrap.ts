import { readMultiaddr } from '@hedgerow/protocols/address'
import { NAME_PATTERN } from '@hedgerow/protocols/ids'
import type { Multiaddr } from '@multiformats/multiaddr'
import { BOOTSTRAP_TIMEOUT, MAX_BOOTSTRAP } from './constants.ts'
import { field } from './json.ts'
import { authorityIn } from './membership.ts'

/** What a relay says of its mesh at `GET /bootstrap`. */
export interface Bootstrap {
  /** the relay's web address */
  url: string
  mesh: string
  /** the public key of the mesh's authority; undefined in an open mesh */
  authority: Uint8Array | undefined
  /** the relay itself first, then others of its mesh */
  peers: Multiaddr[]
  iceServers: RTCIceServer[]
}

const NAME = new RegExp(NAME_PATTERN)

/** @throws {Error} that says what is wrong with the relay at this address */
export async function fetchBootstrap(url: string, signal: AbortSignal): Promise<Bootstrap> {
  const target = new URL('/bootstrap', url)
  const response = await fetch(target, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(BOOTSTRAP_TIMEOUT)]),
    cache: 'no-store'
  })
  if (!response.ok) throw new Error(`${target} answers ${response.status}: it is not a relay, or not ready`)
  return readBootstrap(await boundedText(response, target, MAX_BOOTSTRAP), target)
}

/** As it comes, since a stranger may go on for ever. */
export async function boundedText(response: Response, target: URL, limit: number): Promise<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let next = await reader?.read(); next != null && !next.done; next = await reader?.read()) {
    text += decoder.decode(next.value, { stream: true })
    if (text.length <= limit) continue
    await reader?.cancel()
    throw new Error(`${target} answers too much: it is not a relay`)
  }
  return text
}

/** @throws {Error} with what is wrong about the answer */
export function readBootstrap(text: string, target: URL): Bootstrap {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new Error(`${target} does not answer JSON: it is not a relay`)
  }
  const mesh = field(body, 'mesh')
  const peers = field(body, 'peers')
  if (typeof mesh !== 'string' || !NAME.test(mesh) || !Array.isArray(peers))
    throw new Error(`${target} does not answer as a relay would: {mesh, peers}`)
  return {
    url: target.origin,
    mesh,
    authority: authorityIn(field(body, 'authority')),
    peers: peers.slice(0, 256).flatMap(parse),
    iceServers: iceServersIn(field(body, 'ice_servers'))
  }
}

export function parse(addr: unknown): Multiaddr[] {
  const read = readMultiaddr(addr)
  return read == null ? [] : [read]
}

const isIceUrl = (url: unknown): url is string => typeof url === 'string' && ICE_URL.test(url)

const ICE_URL = /^(stun|stuns|turn|turns):[^\s]{1,256}$/

function iceServersIn(value: unknown): RTCIceServer[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, 8).flatMap((server): RTCIceServer[] => {
    const urls = [field(server, 'urls')].flat().filter(isIceUrl)
    if (urls.length === 0) return []
    const username = field(server, 'username')
    const credential = field(server, 'credential')
    const named = typeof username === 'string' && typeof credential === 'string' ? { username, credential } : {}
    return [{ urls, ...named }].filter(isUsable)
  })
}

/** One server that a browser refuses (TURN without a password, a malformed address) would cost every direct way. */
function isUsable(server: RTCIceServer): boolean {
  if (globalThis.RTCPeerConnection == null) return true
  try {
    new RTCPeerConnection({ iceServers: [server] }).close()
    return true
  } catch {
    return false
  }
}
