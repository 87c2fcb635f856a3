/** Of one connection only (RFC 9110, 7.6.1), and what older agents add. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings'
])

/** Where a request came from and what it was asked for before: not for a caller to say, nor for a volunteer to learn. */
const ORIGIN_OF_REQUEST = new Set([
  'forwarded',
  'via',
  'client-ip',
  'true-client-ip',
  'remote-addr',
  'remote-user',
  'cdn-loop',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-remote-user',
  'x-authenticated-user',
  'x-host',
  'x-envoy-external-address'
])
const FROM_PROXIES = /^(?:x-forwarded|cf-|fly-|fastly-|x-azure-|x-appengine-|x-ssl-client-)/

/** Make a framework serve another path or method than the one that was matched with the contract. */
const OVERRIDES = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-original-uri',
  'x-original-host',
  'x-rewrite-url',
  // CGI makes HTTP_PROXY of it
  'proxy'
])

/** Settled with whoever sent it, or the backend's own. */
const OF_THE_CALL = new Set(['host', 'expect'])

/** All services share the site of an ingress: what a caller's browser keeps for it belongs to none of them. */
const COOKIES = new Set(['cookie', 'cookie2'])

/** Speak for the whole site that a page asked, which is the ingress's and not the service's. */
const OF_THE_SITE = new Set([
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'service-worker-allowed',
  'nel',
  'report-to',
  'reporting-endpoints',
  'origin-agent-cluster'
])

const OURS = 'hedgerow-'

export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name)
}

/** Whether only the mesh itself may say it. */
export function isOurs(name: string): boolean {
  return name.startsWith(OURS)
}

/**
 * Whether a header of a caller's goes on to a service. Servers in the manner of CGI take `_` for `-`, so that
 * `x_real_ip` must not pass where `x-real-ip` doesn't.
 *
 * @param name in lower case
 */
export function passesToService(name: string): boolean {
  const read = name.includes('_') ? name.replaceAll('_', '-') : name
  return !(
    HOP_BY_HOP.has(read) ||
    OF_THE_CALL.has(read) ||
    isOurs(read) ||
    COOKIES.has(read) ||
    ORIGIN_OF_REQUEST.has(read) ||
    OVERRIDES.has(read) ||
    FROM_PROXIES.test(read) ||
    // Two lengths, one of them hidden from whoever reads only the other.
    (read !== name && (read === 'content-length' || read === 'content-type'))
  )
}

/** Whether a header of a service's goes on to its caller. @param name in lower case */
export function passesToCaller(name: string): boolean {
  return !(HOP_BY_HOP.has(name) || OF_THE_SITE.has(name) || isOurs(name))
}

/**
 * Headers that `Connection` declares to be of one connection, too. It can't name away what every exchange needs.
 *
 * @returns undefined when it names none
 */
export function connectionOptions(value: string | string[] | undefined): Set<string> | undefined {
  if (value == null || value === 'keep-alive' || value === 'close') return undefined
  const names = String(value)
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
  return new Set(names.filter(name => name !== 'content-length' && name !== 'content-type'))
}
