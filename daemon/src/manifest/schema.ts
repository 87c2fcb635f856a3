import { PROTOCOLS, TIERS } from '@hedgerow/protocols/contract'
import { NAME_PATTERN } from '@hedgerow/protocols/ids'
import { type Static, type TProperties, Type } from 'typebox'
import { DEFAULTS } from './constants.ts'

// A field's description says what it must be ("a path that starts with /"): errors quote it, and so do editors.

const fields = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false })

const Name = (description: string) => Type.String({ pattern: NAME_PATTERN, maxLength: 63, description })
const Path = (description: string) =>
  Type.String({
    pattern: '^/[^\\s?#\\\\]*$',
    maxLength: 512,
    description: `a path that starts with / (${description})`
  })
const Seconds = (description: string, extra: { default?: number } = {}) =>
  Type.Number({ minimum: 0.05, maximum: 86_400, description: `seconds: ${description}`, ...extra })
const Megabytes = (description: string, extra: { default?: number } = {}) =>
  Type.Number({ minimum: 0, maximum: 1_048_576, description: `MiB: ${description}`, ...extra })

const BodyLimit = Type.Number({
  exclusiveMinimum: 0,
  maximum: 65_536,
  default: DEFAULTS.body_limit_mb,
  description: 'MiB: the largest body a request may have'
})

const Operation = fields({
  method: Type.String({
    pattern: '^([A-Z]{1,20}|\\*)$',
    description: 'an HTTP method in upper case, or * for any'
  }),
  path: Type.String({
    pattern: '^/([^\\s?#\\\\{}*]*|\\{[A-Za-z0-9_]+\\}|/)*\\*?$',
    maxLength: 512,
    description: 'a path that starts with /, where {name} stands for one segment and a trailing /* for any rest'
  }),
  main: Type.Optional(Type.Boolean({ description: 'also answers at the root of the service' })),
  idempotent: Type.Optional(
    Type.Boolean({ description: 'doing it twice is the same as doing it once: may be sent again to another worker' })
  ),
  internal: Type.Optional(Type.Boolean({ description: 'only for other instances of the same service' })),
  first_byte_s: Type.Optional(Seconds('until the answer must begin')),
  between_chunks_s: Type.Optional(Seconds('the longest pause within an answer')),
  body_limit_mb: Type.Optional(BodyLimit)
})

const Env = (whose: string) =>
  Type.Record(
    Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }),
    Type.Union([Type.String({ maxLength: 8192 }), Type.Number(), Type.Boolean()]),
    {
      additionalProperties: false,
      maxProperties: 128,
      description: `variables for the ${whose}; \${NAME} and \${NAME:-default} are replaced`
    }
  )
const Words = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { minItems: 1, maxItems: 64, description })

const Process = fields({
  command: Words("a list of program and arguments, run in the manifest's folder; node is the daemon's own"),
  env: Type.Optional(Env('process'))
})

const IN_CONTAINER = '/[^:,\\s]{1,255}'

const Container = fields({
  image: Type.String({
    minLength: 1,
    maxLength: 512,
    description: 'an image such as docker.io/library/postgres:18.6; variables are replaced'
  }),
  port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'the port its server listens on, in the container' }),
  host_port: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_535,
      description:
        'the port of 127.0.0.1 it is published at, where other programs of this machine look for it; else any free one'
    })
  ),
  entrypoint: Type.Optional(Words("a list of program and arguments, in place of the image's entry point")),
  command: Type.Optional(Words("a list of arguments, in place of the image's command; variables are replaced")),
  env: Type.Optional(Env('container')),
  volumes: Type.Optional(
    Type.Array(
      Type.String({
        maxLength: 1024,
        pattern: `^([a-z0-9][a-z0-9_-]{0,31}|/[^:,\\s]*):${IN_CONTAINER}(:ro|:rw)?$`,
        description: "name:/path for a volume of the service's own, which is kept, or /host/path:/path:ro"
      }),
      { maxItems: 16, description: 'a list of volumes' }
    )
  ),
  tmpfs: Type.Optional(
    Type.Array(Type.String({ pattern: `^${IN_CONTAINER}$`, description: 'a path in the container' }), {
      maxItems: 16,
      description: 'a list of folders in memory, for what a read-only container writes'
    })
  ),
  gpu: Type.Optional(
    Type.Union(
      [Type.Literal('all'), Type.Literal('auto'), Type.Literal('none'), Type.Integer({ minimum: 1, maximum: 32 })],
      {
        description:
          'all, a number, none, or auto (all if the engine can give any); all where needs.gpu is true, else none'
      }
    )
  ),
  memory_mb: Type.Optional(Megabytes('the most memory it gets, 0 = no limit; as needs.memory_mb where it is left out')),
  cores: Type.Optional(
    Type.Number({ minimum: 0, maximum: 1024, description: 'the most cores it gets, 0 = no limit; else as needs.cores' })
  ),
  shm_mb: Type.Optional(Megabytes('shared memory, /dev/shm')),
  pids: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: DEFAULTS.container.pids,
      description: 'processes and threads at once'
    })
  ),
  user: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_.-]{1,64}(:[A-Za-z0-9_.-]{1,64})?$',
      description: 'a user or user:group of the image'
    })
  ),
  read_only: Type.Optional(
    Type.Boolean({ default: DEFAULTS.container.read_only, description: 'nothing but volumes and tmpfs can be written' })
  ),
  cap_add: Type.Optional(
    Type.Array(Type.String({ pattern: '^[A-Z][A-Z_]{1,40}$', description: 'a capability such as CHOWN' }), {
      maxItems: 40,
      uniqueItems: true,
      description: 'a list of capabilities; a container has none else'
    })
  ),
  pull: Type.Optional(
    Type.Union([Type.Literal('missing'), Type.Literal('always'), Type.Literal('never')], {
      default: DEFAULTS.container.pull,
      description: 'missing, always or never: when the image is pulled'
    })
  ),
  stop_s: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 15,
      default: DEFAULTS.container.stop_s,
      description: 'seconds from SIGTERM to SIGKILL; no more than the daemon itself is given to end'
    })
  )
})

export const manifestSchema = Type.Object(
  {
    name: Name('a name of lower-case letters, digits and hyphens, at most 63 of them'),
    version: Type.String({
      minLength: 1,
      maxLength: 64,
      pattern: '^[0-9A-Za-z][0-9A-Za-z.+-]*$',
      description: 'a version such as 1.2.0'
    }),
    title: Type.String({ minLength: 1, maxLength: 200, description: 'one line for people' }),
    aliases: Type.Optional(
      Type.Array(Name('another name of lower-case letters, digits and hyphens'), { maxItems: 8, uniqueItems: true })
    ),
    protocol: Type.Optional(
      Type.Enum(PROTOCOLS, {
        default: DEFAULTS.protocol,
        description: 'http, or tcp for a server whose bytes only its own clients understand'
      })
    ),
    tier: Type.Optional(Type.Enum(TIERS, { default: DEFAULTS.tier, description: 'the kind of worker it belongs on' })),
    replicas: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: 1000 }), Type.Literal('everywhere')], {
        default: DEFAULTS.replicas,
        description: 'how many workers should run it, mesh-wide; "everywhere" for every one that can'
      })
    ),
    needs: Type.Optional(
      fields({
        cores: Type.Optional(Type.Number({ minimum: 0, maximum: 1024, default: DEFAULTS.needs.cores })),
        memory_mb: Type.Optional(Megabytes('memory it takes', { default: DEFAULTS.needs.memory_mb })),
        disk_mb: Type.Optional(Megabytes('disk it fills', { default: DEFAULTS.needs.disk_mb })),
        gpu: Type.Optional(Type.Boolean({ default: false })),
        gpu_memory_mb: Type.Optional(Megabytes('memory of one GPU', { default: 0 }))
      })
    ),
    backend: Type.Object(
      {
        process: Type.Optional(Process),
        container: Type.Optional(Container),
        url: Type.Optional(
          Type.String({ minLength: 1, maxLength: 2048, description: 'the http:// or https:// URL of a running server' })
        ),
        tcp: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 512,
            description: 'host and port of a running server that speaks TCP, such as 127.0.0.1:5432'
          })
        )
      },
      {
        additionalProperties: false,
        minProperties: 1,
        maxProperties: 1,
        description: 'one backend: process or container (started by the daemon), url or tcp (already running)'
      }
    ),
    health: Type.Optional(
      fields({
        path: Type.Optional(
          Path('answers 2xx while the service can work; a tcp service is asked for a connection only')
        ),
        interval_s: Type.Optional(Seconds('between two probes', { default: DEFAULTS.health.interval_s })),
        timeout_s: Type.Optional(Seconds('until a probe has failed', { default: DEFAULTS.health.timeout_s })),
        start_s: Type.Optional(
          Seconds('how long the first healthy answer may take', { default: DEFAULTS.health.start_s })
        )
      })
    ),
    admission: Type.Optional(
      fields({
        concurrency: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 10_000,
            default: DEFAULTS.admission.concurrency,
            description: 'requests that run at once; of a tcp service connections, of which the default is 64'
          })
        ),
        queue: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 100_000,
            default: DEFAULTS.admission.queue,
            description: 'requests that wait; one more gets 429'
          })
        )
      })
    ),
    body_limit_mb: Type.Optional(BodyLimit),
    timeouts: Type.Optional(
      fields({
        first_byte_s: Type.Optional(Seconds('until an answer must begin', { default: DEFAULTS.timeouts.first_byte_s })),
        between_chunks_s: Type.Optional(
          Seconds('the longest pause within an answer', { default: DEFAULTS.timeouts.between_chunks_s })
        ),
        idle_s: Type.Optional(
          Seconds('how long a connection to a tcp service may carry nothing', { default: DEFAULTS.timeouts.idle_s })
        )
      })
    ),
    resources: Type.Optional(
      fields({
        path: Path('answers {"resources": ["model/llama3"]}: what the service has loaded or holds'),
        interval_s: Type.Optional(Seconds('between two looks', { default: DEFAULTS.resources.interval_s }))
      })
    ),
    state: Type.Optional(
      fields({
        keyed: Type.String({
          pattern: '^[A-Za-z0-9_.-]{1,64}$',
          description: "the query parameter that partitions the service's data"
        })
      })
    ),
    data_class: Type.Optional(
      Name("the least class of data that requests have: public, internal, confidential, or one of the mesh's own")
    ),
    operations: Type.Optional(
      Type.Array(Operation, {
        minItems: 1,
        maxItems: 128,
        description: 'a list of operations; peers can reach only what is declared here (a tcp service has none)'
      })
    )
  },
  {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'urn:hedgerow:service-manifest',
    title: 'Hedgerow service manifest (hedgerow.service.yaml)',
    additionalProperties: false
  }
)

/** A manifest as it is written. */
export type ManifestDocument = Static<typeof manifestSchema>
