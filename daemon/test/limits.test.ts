import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { MAX_ENTRIES } from '@hedgerow/protocols/advert'
import { MAX_MESSAGE } from '@hedgerow/protocols/forward'
import { REQUEST_TIMEOUT } from '@hedgerow/protocols/forward/node'
import * as gate from '@hedgerow/protocols/gate'
import * as invocation from '@hedgerow/protocols/invocation/node'
import * as membership from '@hedgerow/protocols/membership'
import { MAX_VOUCH_SIZE } from '@hedgerow/protocols/vouch'
import * as access from '../src/access/constants.ts'
import { needOf, type Rate, ROUTE_NEEDS } from '../src/access/index.ts'
import * as api from '../src/api/constants.ts'
import * as containers from '../src/containers/constants.ts'
import * as dialBack from '../src/dial-back/constants.ts'
import { PATIENCE } from '../src/ingress/body.ts'
import { DEFAULTS } from '../src/manifest/constants.ts'
import * as nonces from '../src/membership/nonces.ts'
import * as node from '../src/node/constants.ts'
import { CONNECTIONS_DRAIN } from '../src/runtime/constants.ts'
import * as tracing from '../src/tracing/constants.ts'

const KIB = 1024
const size = (bytes: number | bigint): string => {
  const n = Number(bytes)
  for (const [unit, bytesOf] of [
    ['GiB', KIB ** 3],
    ['MiB', KIB ** 2],
    ['KiB', KIB]
  ] as const)
    if (n >= bytesOf && n % bytesOf === 0) return `${n / bytesOf} ${unit}`
  return String(n)
}
const time = (ms: number): string => (ms >= 120_000 ? `${ms / 60_000} min` : `${ms / 1000} s`)
const rate = ({ perSecond, burst }: Rate): string => `${perSecond} a second, ${burst} at once`

const HTTP: Record<string, string> = {
  'requests of one address': rate(access.ADDRESS_RATE),
  'requests with one API key': rate(access.KEY_RATE),
  'requests of one person signed in': rate(access.OIDC_RATE),
  'requests of one peer (DPoP)': rate(access.PEER_RATE),
  'requests under way, of one caller': String(access.MAX_REQUESTS_PER_CALLER),
  'connections to TCP services, of one caller': String(access.MAX_FORWARDS_PER_CALLER),
  'requests under way, in all': String(access.MAX_REQUESTS),
  'connections, in all': String(access.MAX_CONNECTIONS),
  'connections of one address (IPv6: of one /64)': String(access.MAX_CONNECTIONS_PER_ADDRESS),
  'connections on which nothing was ever asked': String(access.MAX_SILENT_CONNECTIONS),
  'addresses and callers remembered': String(access.MAX_REMEMBERED),
  'headers of a request, size': size(access.MAX_HEADER_SIZE),
  'headers of a request, number': String(access.MAX_HEADERS),
  'time for the head of a request': time(access.HEADERS_TIMEOUT),
  'pause within the body of a request to a service': time(PATIENCE),
  'time for the body of a request to the API itself': time(access.API_BODY_TIMEOUT),
  'time for a whole request': time(access.REQUEST_TIMEOUT),
  'idle connection kept': time(access.KEEP_ALIVE_TIMEOUT),
  'body of a request to the API itself': size(api.API_BODY_LIMIT),
  'body of a request to `/v1`': size(api.OPENAI_BODY_LIMIT),
  'bodies of requests to `/v1`, held at once': size(api.OPENAI_BODIES),
  'body of a request to a service': `${DEFAULTS.body_limit_mb} MiB`,
  'listeners to `/events`': String(api.MAX_LISTENERS),
  'questions to other peers under way (`/api/peers/...`)': String(api.MAX_ASKS),
  'walks in the DHT under way (`/api/dht/...`)': String(api.MAX_WALKS),
  'requests to `/api/enrol` of one address': rate(api.ENROL_RATE),
  'age of a nonce to enrol with': time(nonces.LIFETIME * 1000),
  'nonces that were used, remembered': String(nonces.MAX_USED),
  'revocations brought by one address': rate(api.REVOCATION_RATE),
  'API keys': String(access.MAX_KEYS),
  'DPoP proofs remembered, of one peer': String(access.MAX_PROOFS_PER_PEER),
  'DPoP proofs remembered, in all': String(access.MAX_PROOFS),
  'age of a DPoP proof, either way': time(access.PROOF_WINDOW),
  'answer of an OIDC issuer': size(access.MAX_ISSUER_ANSWER),
  'time for an OIDC issuer to answer': time(access.ISSUER_TIMEOUT)
}

const CONTAINERS: Record<string, string> = {
  'processes and threads in a container': String(DEFAULTS.container.pids),
  'time from SIGTERM to SIGKILL': time(DEFAULTS.container.stop_s * 1000),
  'log that the engine keeps of a container': containers.ENGINE_LOG_SIZE.replace('m', ' MB'),
  'time for an engine to answer a question': time(containers.ASK_TIMEOUT),
  'time for an engine to do anything else': time(containers.CALL_TIMEOUT),
  'answer of an engine about itself': size(containers.MAX_ANSWER),
  'pause within a pull': time(containers.PULL_STALL),
  'wait between pulls that fail': time(containers.PULL_RETRY_MAX),
  'networks of its daemon that a container joins': String(containers.MAX_NETWORKS),
  'containers of an earlier life removed at once': String(containers.MAX_LEFTOVERS)
}

const PEERS: Record<string, string> = {
  'connections, in all': String(node.MAX_CONNECTIONS),
  'handshakes under way': String(node.MAX_PENDING_INBOUND),
  'new connections of one address': `${node.INBOUND_CONNECTIONS_PER_SECOND} a second`,
  'WebRTC connections being accepted': String(node.MAX_PENDING_WEBRTC),
  'a WebSocket message': size(node.MAX_WEBSOCKET_MESSAGE),
  'HTTP streams of one peer': String(invocation.MAX_PROTOCOL_STREAMS),
  'streams of a connection, of all protocols': String(invocation.YAMUX.maxInboundStreams),
  'bytes of a stream on their way': size(invocation.YAMUX.streamOptions.maxStreamWindowSize),
  'headers of a request, size': size(invocation.SERVER.maxHeaderSize),
  'time for the head of a request': time(invocation.SERVER.headersTimeout),
  'provider records in the DHT, of one peer': String(node.MAX_RECORDS_PER_PROVIDER),
  'provider records in the DHT, in all': String(node.MAX_PROVIDER_RECORDS),
  'addresses in a provider record': String(node.MAX_PROVIDER_ADDRS),
  'time for the proof of membership': time(gate.PROOF_TIMEOUT),
  'streams of a connection before its proof': String(gate.MAX_WAITING_STREAMS),
  'requests of one client, at each peer': rate(access.CLIENT_RATE),
  'bytes that wait for proofs, in all': size(gate.MAX_HELD),
  'connections by others, without proof': String(gate.MAX_UNPROVEN),
  'a gossip message': size(node.MAX_GOSSIP_RPC),
  'reservations at a relay': String(node.RELAY_MAX_RESERVATIONS),
  'of these, by clients': String(node.RELAY_CLIENT_RESERVATIONS),
  'circuits being opened by one peer': String(node.RELAY_MAX_HOP_STREAMS),
  'bytes over one circuit, each way': size(node.RELAY_DATA_LIMIT),
  'time of one circuit': time(node.RELAY_DURATION_LIMIT),
  'credentials renewed for one peer': rate(api.RENEWAL_RATE),
  'revocations kept, in all': String(membership.MAX_REVOCATIONS),
  'revocations kept, of one issuer': String(membership.MAX_REVOCATIONS_BY_ISSUER),
  'dials back for one peer': rate(dialBack.DIAL_BACK_RATE),
  'dials back to one host, for all': rate(dialBack.TARGET_RATE),
  'dials back for all': rate(dialBack.DIAL_BACKS_RATE),
  'dials back under way': String(dialBack.MAX_DIAL_BACKS),
  'time for one dial back': time(dialBack.DIAL_BACK_TIMEOUT),
  'entry points in an advert': String(MAX_ENTRIES),
  'a vouch for an entry point': size(MAX_VOUCH_SIZE),
  'requests to a service, running and waiting': 'by its manifest',
  'connections to a TCP service, at each of its workers': String(DEFAULTS.connections),
  'connections to TCP services, of one peer': String(invocation.MAX_PROTOCOL_STREAMS),
  'idle connection to a TCP service': time(DEFAULTS.timeouts.idle_s * 1000),
  'the first message on a connection to a TCP service': size(MAX_MESSAGE),
  'time for the first message on a connection to a TCP service': time(REQUEST_TIMEOUT),
  'connections to a TCP service that is to end': time(CONNECTIONS_DRAIN)
}

const traces = rate({ perSecond: tracing.TRACES_PER_SECOND, burst: tracing.TRACES_PER_SECOND * tracing.TRACES_BURST })
const TRACES: Record<string, string> = {
  'traces that callers ask for (`traceparent`)': traces,
  'traces that begin here': traces,
  'spans that wait for the collector': String(tracing.MAX_SPANS),
  'characters of a value': String(tracing.MAX_VALUE),
  'time for the last spans, at the end of a peer': time(tracing.STOP_TIMEOUT)
}

/** The first two columns of the table below a heading. */
function tableIn(text: string, heading: string): Record<string, string> {
  const [section = ''] = text.split(`\n## ${heading}`)[1]?.split('\n## ') ?? []
  const rows = section.split('\n').filter(line => line.startsWith('|'))
  return Object.fromEntries(
    rows.slice(2).map(row => {
      const [, what = '', value = ''] = row.split('|').map(cell => cell.trim())
      return [what, value]
    })
  )
}

describe('the documentation of limits and rights', () => {
  const read = (name: string): Promise<string> => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

  it('has every limit as it is', async () => {
    const text = await read('limits.md')
    assert.deepEqual(tableIn(text, 'HTTP'), HTTP)
    assert.deepEqual(tableIn(text, 'Between peers'), PEERS)
    assert.deepEqual(tableIn(text, 'Traces'), TRACES)
    assert.deepEqual(tableIn(text, 'Containers'), CONTAINERS)
  })

  it('has the right that every route needs', async () => {
    const table = tableIn(await read('access.md'), 'Rights')
    const documented = Object.fromEntries(
      Object.entries(table).flatMap(([need, routes]) =>
        [...routes.matchAll(/`([^`]+)`/g)].map(([, route]) => [route, need])
      )
    )
    assert.deepEqual(documented, ROUTE_NEEDS)
  })

  it('closes what is in no table', () => {
    for (const route of ['/', '/new', '/api', '/api/new', '/healthy', '/servicex/*', '/health/more', '/debug/*'])
      assert.equal(needOf(route), 'admin', route)
    for (const [route, need] of [
      ['/service/:service', 'call'],
      ['/service/:service/*', 'call'],
      ['/docs', 'call'],
      ['/docs/', 'call'],
      ['/docs/static/*', 'call'],
      ['/v1/models/*', 'call'],
      ['/explain/:id', 'read'],
      ['/api/peers/:peer/ping', 'read'],
      ['/api/admin/workers', 'admin'],
      ['/health', 'everybody']
    ])
      assert.equal(needOf(route), need, route)
  })
})
