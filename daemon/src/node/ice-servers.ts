/** A STUN or TURN server, in the form that pages know (`RTCIceServer`). */
export interface IceServer {
  /** `stun:host:port`, `turn:host:port`, `turns:host:port` */
  urls: string
  username?: string
  credential?: string
}

const FORM =
  /^(?<scheme>stun|turns?):(?:(?<username>[^:@/?]+):(?<credential>[^@/?]+)@)?(?<host>\[[\da-f:.]+\]|[^\s:@/?[\]]+)(?::(?<port>\d{1,5}))?(?<query>\?transport=(?:udp|tcp))?$/i

/**
 * Reads `stun:host:port` or `turn:user:password@host:port?transport=udp`; user and password are percent-encoded where
 * they hold any of `:@/?%`.
 *
 * @returns undefined when it is neither
 */
export function parseIceServer(text: string): IceServer | undefined {
  const { scheme = '', username, credential, host = '', port, query = '' } = FORM.exec(text)?.groups ?? {}
  if (host === '' || Number(port ?? 1) < 1 || Number(port ?? 1) > 65535) return undefined
  const isStun = scheme.toLowerCase() === 'stun'
  // Browsers refuse a TURN server without credentials, and a STUN server has no use for them.
  if (isStun !== (username == null) || (isStun && query !== '')) return undefined
  const urls = `${scheme.toLowerCase()}:${host}${port == null ? '' : `:${port}`}${query}`
  if (username == null || credential == null) return { urls }
  try {
    return { urls, username: decodeURIComponent(username), credential: decodeURIComponent(credential) }
  } catch {
    return undefined
  }
}

const MAX_SERVERS = 8
const MAX_TEXT = 512

/** What a relay says in `RTCIceServer`s; what is no such thing is left out, since there is a way without it. */
export function readIceServers(value: unknown): IceServer[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, MAX_SERVERS).flatMap((server: unknown): IceServer[] => {
    if (typeof server !== 'object' || server == null || !('urls' in server)) return []
    const username = 'username' in server ? server.username : undefined
    const credential = 'credential' in server ? server.credential : undefined
    const account = isText(username) && isText(credential) ? { username, credential } : undefined
    return [server.urls].flat().flatMap((urls: unknown) => {
      const isStun = isText(urls) && parseIceServer(urls) != null
      if (isStun) return [{ urls }]
      const isTurn = isText(urls) && /^turns?:[^@]+$/i.test(urls) && parseIceServer(urls.replace(':', ':u:p@')) != null
      return isTurn && account != null ? [{ urls, ...account }] : []
    })
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT
}

/**
 * By which servers this peer learns how it is seen from outside: those of its settings, else those that its relay
 * names. Never one that nobody chose.
 */
export class IceServers {
  readonly #configured: readonly IceServer[]
  #learned: readonly IceServer[] = []

  constructor(configured: readonly IceServer[] = []) {
    this.#configured = configured
  }

  current(): readonly IceServer[] {
    return this.#configured.length > 0 ? this.#configured : this.#learned
  }

  learn(servers: readonly IceServer[]): void {
    this.#learned = servers
  }

  /** For node-datachannel, which writes user and password into the URL as they are. */
  rtcConfiguration(): RTCConfiguration {
    return {
      iceServers: this.current().map(({ urls, username, credential }) => ({
        urls: [urls],
        ...(username == null || credential == null
          ? {}
          : { username: encodeURIComponent(username), credential: encodeURIComponent(credential) })
      }))
    }
  }
}
