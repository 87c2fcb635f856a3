/**
 * The JSON that a peer's API answers with, as far as the inspector reads it. A newer peer may say more: fields that are
 * not named here pass through.
 */
import { type Static, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'

const Text = Type.String()
const Texts = Type.Array(Text)
const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const ServiceLoad = Type.Object({
  in_flight: Type.Number(),
  queued: Type.Number(),
  concurrency: Type.Number(),
  /** to the first byte */
  latency_ms: Type.Number(),
  /** 0 to 1 */
  error_rate: Type.Number()
})

/** Sizes in MiB. */
const Capabilities = Type.Object({
  cores: Type.Number(),
  memory: Type.Number(),
  disk: Type.Number(),
  gpus: Type.Array(Type.Object({ model: Text, memory: Type.Number() })),
  arch: Text,
  platform: Text
})

const PeerRow = Type.Object({
  worker_id: Text,
  peer_id: Text,
  role: Text,
  version: Text,
  services: Texts,
  assigned_services: Texts,
  eligible_services: Texts,
  resources: Type.Record(Text, Texts),
  capabilities: Capabilities,
  load: Type.Object({
    in_flight: Type.Number(),
    queued: Type.Number(),
    services: Type.Record(Text, ServiceLoad)
  }),
  path: Nullable(Text),
  transport: Nullable(Text),
  round_trip_ms: Nullable(Type.Number()),
  ejected_for_ms: Type.Number(),
  silent: Type.Boolean(),
  addrs: Texts,
  url: Nullable(Text),
  last_seen: Text
})

const Service = Type.Object({
  name: Text,
  title: Text,
  version: Text,
  aliases: Texts,
  /** `http` or `tcp`; peers of older versions don't say, and know of nothing but HTTP */
  protocol: Type.Optional(Text),
  tier: Text,
  wanted: Type.Number(),
  found: Type.Number(),
  healthy: Type.Number(),
  workers: Texts
})

const Operation = Type.Object({
  method: Text,
  path: Text,
  main: Type.Boolean(),
  idempotent: Type.Boolean(),
  internal: Type.Boolean(),
  first_byte_timeout_ms: Type.Number(),
  chunk_timeout_ms: Type.Number(),
  /** bytes */
  body_limit: Type.Number()
})

const Offer = Type.Object({
  name: Text,
  version: Text,
  title: Text,
  aliases: Texts,
  /** `http` or `tcp`; peers of older versions don't say, and know of nothing but HTTP */
  protocol: Type.Optional(Text),
  tier: Text,
  replicas: Type.Number(),
  concurrency: Type.Number(),
  state_key: Nullable(Text),
  resources: Texts,
  operations: Type.Array(Operation)
})

const Advert = Type.Object({
  peer_id: Text,
  /** decimal digits: it outgrows a double */
  sequence: Text,
  role: Text,
  name: Text,
  version: Text,
  addrs: Texts,
  url: Nullable(Text),
  capabilities: Capabilities,
  services: Type.Array(Offer),
  eligible: Texts
})

/** What everybody is told; the rest of it may need a key. */
const Greeting = Type.Object({
  status: Text,
  peer_id: Text,
  worker_id: Text,
  direct_paths: Type.Optional(Text),
  closed: Type.Optional(Type.Boolean())
})

const Health = Type.Object({
  status: Text,
  peer_id: Text,
  worker_id: Text,
  role: Text,
  mesh: Text,
  services: Texts,
  /** from where pages can be connected directly; peers of older versions don't say */
  direct_paths: Type.Optional(Text),
  /** whether it can run services in containers; relays and older versions don't say */
  containers: Type.Optional(
    Type.Object({
      state: Text,
      engine: Type.Optional(Text),
      gpu: Type.Optional(Type.Boolean()),
      reason: Type.Optional(Text)
    })
  ),
  /** seconds */
  uptime: Type.Number(),
  version: Text
})

/** Where a peer means to be an entry point; told to its owner only. */
const EntryClaim = Type.Object({
  addr: Text,
  verified: Type.Boolean(),
  kind: Type.Optional(Text),
  problem: Type.Optional(Text)
})
const OwnHealth = Type.Object({
  entry_point: Type.Optional(Type.Object({ claims: Type.Array(EntryClaim) }))
})

/** A peer's place in its mesh. */
const Mesh = Type.Object({
  mesh: Text,
  closed: Type.Boolean(),
  authority: Type.Union([Text, Type.Null()]),
  issuer: Type.Boolean(),
  credential: Type.Union([
    Type.Object({
      expires_at: Text,
      issuer: Text,
      roles: Texts,
      services: Texts,
      classes: Texts,
      renewed: Type.Boolean(),
      warning: Type.Optional(Text)
    }),
    Type.Null()
  ]),
  counts: Type.Object({
    relays: Type.Number(),
    workers: Type.Number(),
    revocations: Type.Number(),
    redemptions: Type.Number()
  })
})

const Routing = Type.Object({
  local_requests: Type.Number(),
  forwarded_requests: Type.Number(),
  failed_requests: Type.Number(),
  retried_requests: Type.Number()
})

const Stats = Type.Object({
  peer_id: Text,
  routing: Routing,
  per_service: Type.Record(
    Text,
    Type.Object({
      requests: Type.Number(),
      failed: Type.Number(),
      retried: Type.Number(),
      in_flight: Type.Number(),
      latency_ms: Type.Number()
    })
  )
})

const Candidate = Type.Object({
  peer_id: Text,
  score: Nullable(Type.Number()),
  rejected: Type.Optional(Text),
  latency_ms: Type.Optional(Type.Number()),
  round_trip_ms: Type.Optional(Type.Number()),
  in_flight: Type.Optional(Type.Number()),
  queued: Type.Optional(Type.Number()),
  concurrency: Type.Optional(Type.Number()),
  penalty: Type.Optional(Type.Number())
})

const Attempt = Type.Object({
  peer_id: Text,
  outcome: Text,
  detail: Type.Optional(Text),
  status: Type.Optional(Type.Number()),
  path: Nullable(Text),
  transport: Nullable(Text),
  reason: Text,
  ms: Type.Number()
})

const Explanation = Type.Object({
  request_id: Text,
  service: Text,
  operation: Text,
  at: Text,
  source: Text,
  candidates: Type.Array(Candidate),
  chosen: Nullable(Text),
  attempts: Type.Array(Attempt),
  outcome: Text,
  path: Nullable(Text),
  transport: Nullable(Text),
  timing: Type.Object({
    total_ms: Nullable(Type.Number()),
    lookup_ms: Type.Number(),
    first_byte_ms: Nullable(Type.Number())
  })
})

const Pong = Type.Object({
  peer_id: Text,
  status: Text,
  round_trip_ms: Type.Number(),
  path: Nullable(Text),
  transport: Nullable(Text)
})

const DhtStats = Type.Object({
  peer_id: Text,
  mesh: Text,
  mode: Text,
  routing_table_size: Type.Number(),
  connected_peers: Type.Number()
})

const DhtTopology = Type.Object({
  peer_id: Text,
  peers: Type.Array(
    Type.Object({
      peer_id: Text,
      addrs: Texts,
      connected: Type.Boolean(),
      name: Nullable(Text),
      role: Nullable(Text)
    })
  ),
  connections: Type.Array(Type.Object({ peer_id: Text, addr: Text, direction: Text, limited: Type.Boolean() }))
})

const DhtProviders = Type.Object({
  service: Text,
  cid: Text,
  providers: Type.Array(Type.Object({ peer_id: Text, addrs: Texts }))
})

const Problem = Type.Object({
  status: Type.Number(),
  title: Type.Optional(Text),
  code: Type.Optional(Text),
  detail: Type.Optional(Text),
  retry_after: Type.Optional(Type.Number()),
  retry_safe: Type.Optional(Type.Boolean()),
  request_id: Type.Optional(Text),
  /** what a service found wrong in a body */
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.Optional(Text), message: Type.Optional(Text) })))
})

export type PeerRow = Static<typeof PeerRow>
export type ServiceLoad = Static<typeof ServiceLoad>
export type Capabilities = Static<typeof Capabilities>
export type Service = Static<typeof Service>
export type Offer = Static<typeof Offer>
export type Advert = Static<typeof Advert>
export type Greeting = Static<typeof Greeting>
export type Health = Static<typeof Health>
export type EntryClaim = Static<typeof EntryClaim>
export type MeshPlace = Static<typeof Mesh>
export type Stats = Static<typeof Stats>
export type Explanation = Static<typeof Explanation>
export type Pong = Static<typeof Pong>
export type DhtStats = Static<typeof DhtStats>
export type DhtTopology = Static<typeof DhtTopology>
export type DhtProviders = Static<typeof DhtProviders>
export type Problem = Static<typeof Problem>

/** Says whether a value has a shape; past it, it has that type. */
export interface Shape<T> {
  Check(value: unknown): value is T
}

/** Compiled at its first use: a command reads two or three of them. */
function lazily<T>(compile: () => Shape<T>): Shape<T> {
  let compiled: Shape<T> | undefined
  const get = (): Shape<T> => {
    compiled ??= compile()
    return compiled
  }
  return { Check: (value): value is T => get().Check(value) }
}

export const SHAPES = {
  workers: lazily(() => Compile(Type.Object({ workers: Type.Array(PeerRow) }))),
  relays: lazily(() => Compile(Type.Object({ relays: Type.Array(PeerRow) }))),
  services: lazily(() => Compile(Type.Object({ services: Type.Array(Service) }))),
  peer: lazily(() => Compile(Type.Object({ peer: PeerRow, advert: Advert }))),
  advert: lazily(() => Compile(Type.Object({ advert: Advert }))),
  greeting: lazily(() => Compile(Greeting)),
  health: lazily(() => Compile(Health)),
  ownHealth: lazily(() => Compile(OwnHealth)),
  mesh: lazily(() => Compile(Mesh)),
  stats: lazily(() => Compile(Stats)),
  explanation: lazily(() => Compile(Explanation)),
  pong: lazily(() => Compile(Pong)),
  dhtStats: lazily(() => Compile(DhtStats)),
  dhtTopology: lazily(() => Compile(DhtTopology)),
  dhtProviders: lazily(() => Compile(DhtProviders)),
  receipts: lazily(() => Compile(Type.Object({ receipts: Type.Array(Text, { minItems: 1, maxItems: 64 }) }))),
  problem: lazily(() => Compile(Problem))
}
