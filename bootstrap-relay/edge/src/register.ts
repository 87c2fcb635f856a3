import { isRecord, readJson } from './bytes.ts'
import { EdgeError } from './errors.ts'
import { placeOf } from './place.ts'
import type { RelayPool } from './pool.ts'
import { HEARTBEAT_INTERVAL, SILENCE } from './registry/constants.ts'
import type { Heartbeat, Registry } from './registry/index.ts'
import { relayOrigin } from './urls.ts'

export interface RegisterComponents {
  registry: Registry | undefined
  pool: Pick<RelayPool, 'forget'>
  token: string | undefined
  allowPrivate: boolean
  now(): number
}

/** Bytes of a registration; capabilities and the like that older relays send along fit. */
const MAX_BODY = 16 * 1024
/** Characters; a shorter secret is guessed sooner or later. */
const MIN_TOKEN = 16
const MAX_TOKEN = 1024
const ID = /^[\w.:@-]{1,200}$/

/** `POST /api/worker/register` and `POST /api/edge/heartbeat`: a relay that knows the secret says where it is. */
export async function register(request: Request, components: RegisterComponents): Promise<Response> {
  const { registry, pool, token, allowPrivate, now } = components
  if (request.method !== 'POST')
    throw new EdgeError('MethodNotAllowed', `${request.method} is not for this path`, { allow: ['POST'] })
  await authenticate(request, token)
  if (registry == null)
    throw new EdgeError(
      'RegistryUnavailable',
      'this edge keeps no list: bind the KV namespace SEEDS or the object REGISTRY'
    )
  const { heartbeat, workerId } = readHeartbeat(await readJson(request.body, MAX_BODY), request, allowPrivate)
  let heard: Awaited<ReturnType<Registry['heard']>>
  try {
    heard = await registry.heard(heartbeat, now())
  } catch (err) {
    throw new EdgeError(
      'RegistryUnavailable',
      'the registry could not be read or written',
      { retry_after: 60 },
      { cause: err }
    )
  }
  if (heard === 'unknown')
    throw new EdgeError(
      'UnknownRelay',
      `${workerId} is not registered (any more): send its url to /api/worker/register`
    )
  if (heard === 'full') throw new EdgeError('RegistryFull', 'as many relays are registered as this edge keeps')
  if (heard === 'written') pool.forget()
  return Response.json(
    {
      status: 'ok',
      worker_id: workerId,
      seed: heard,
      heartbeat_interval: HEARTBEAT_INTERVAL,
      expires_in: SILENCE / 1000
    },
    { headers: { 'cache-control': 'no-store' } }
  )
}

async function authenticate({ headers }: Request, token: string | undefined): Promise<void> {
  if (token == null || token.length < MIN_TOKEN)
    throw new EdgeError(
      'Unauthorized',
      `nobody can register here: the secret EDGE_TOKEN is not set, or has fewer than ${MIN_TOKEN} characters`
    )
  const [, given = ''] = /^bearer +(\S+)$/i.exec(headers.get('authorization') ?? '') ?? []
  if (given.length <= MAX_TOKEN && (await isSame(given, token))) return
  throw new EdgeError('Unauthorized', 'the header Authorization has not the secret EDGE_TOKEN of this edge')
}

/** Takes as long whatever was given: digests have one length, and are compared to their end. */
async function isSame(given: string, secret: string): Promise<boolean> {
  const digest = (text: string): Promise<ArrayBuffer> => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  const [a, b] = await Promise.all([digest(given), digest(secret)])
  return crypto.subtle.timingSafeEqual(a, b)
}

function readHeartbeat(
  body: unknown,
  request: Request,
  allowPrivate: boolean
): { heartbeat: Heartbeat; workerId: string } {
  if (!isRecord(body)) throw new EdgeError('Malformed', `the body must be a JSON object of at most ${MAX_BODY} bytes`)
  const workerId = body.worker_id ?? body.peer_id
  const id = body.peer_id ?? body.worker_id
  if (typeof id !== 'string' || !ID.test(id) || typeof workerId !== 'string' || workerId.length > 200)
    throw new EdgeError('Malformed', 'worker_id (or peer_id) must be 1 to 200 letters, digits or any of .:@_-')
  // What relays called it over time.
  const text = body.url ?? body.access_url ?? body.tunnel_url
  const url = text == null ? undefined : relayOrigin(text, allowPrivate)
  if (text != null && url == null)
    throw new EdgeError('Malformed', 'url must be https://, of a public host, and have no path')
  if (url != null && url === new URL(request.url).origin)
    throw new EdgeError('Malformed', 'url is that of this edge: it must be where the relay itself is reached')
  const place = placeOf(request)
  return {
    workerId,
    heartbeat: {
      id,
      ...(url == null ? {} : { url }),
      ...(place == null ? {} : { place }),
      mayWrite: body.may_write !== false
    }
  }
}
