// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are written like that in manifests
import assert from 'node:assert/strict'
import {
  formatManifestError,
  type ManifestError,
  parseManifest,
  type ServiceManifest,
  type Variables
} from '../src/manifest/index.ts'

const FULL = `
name: ner-extraction
version: 0.1.0
title: Finds people, creditors, amounts, dates and references in text   # one line for people
aliases: [ner]
tier: gpu
replicas: 3
needs: { cores: 1.5, memory_mb: 200, disk_mb: 10, gpu_memory_mb: 4096 }
backend:
  process:
    command: [node, --conditions=hedgerow-source, src/main.ts]
    env: { MODEL: "\${MODEL:-small}", THREADS: 2 }
health: { path: /healthz, interval_s: 4, timeout_s: 1.5, start_s: 20 }
admission: { concurrency: 8, queue: 16 }
body_limit_mb: 2
timeouts: { first_byte_s: 10, between_chunks_s: 5 }
resources: { path: /resources, interval_s: 3 }
state: { keyed: collection }
operations:
  - { method: POST, path: /extract, main: true, idempotent: true }
  - { method: DELETE, path: "/documents/{id}", idempotent: true }
  - { method: POST, path: /slow, first_byte_s: 300, between_chunks_s: 60, body_limit_mb: 0.5 }
  - { method: POST, path: "/sync/*", internal: true }
  - { method: "*", path: /any }
`

const MINIMAL = `
name: echo
version: 1.0.0
title: Says what it hears
backend: { url: http://127.0.0.1:9999 }
operations: [{ method: GET, path: /echo }]
`

const parse = (text: string, env: Variables = {}): ServiceManifest | ManifestError[] =>
  parseManifest(text, { file: '/s/hedgerow.service.yaml', folder: '/s', env })

function valid(text: string, env: Variables = {}): ServiceManifest {
  const parsed = parse(text, env)
  if (Array.isArray(parsed)) assert.fail(parsed.map(formatManifestError).join('\n'))
  return parsed
}

/** Line and field of each error. */
function places(text: string, env: Variables = {}): string[] {
  const parsed = parse(text, env)
  assert.ok(Array.isArray(parsed), 'the manifest should have been refused')
  return parsed.map(({ line, field }) => `${line ?? '-'} ${field ?? '-'}`)
}

describe('a service manifest', () => {
  it('becomes a contract in milliseconds and bytes', () => {
    const manifest = valid(FULL)
    const { operations, ...contract } = manifest.contract
    assert.deepEqual(contract, {
      name: 'ner-extraction',
      version: '0.1.0',
      title: 'Finds people, creditors, amounts, dates and references in text',
      aliases: ['ner'],
      protocol: 'http',
      tier: 'gpu',
      replicas: 3,
      concurrency: 8,
      stateKey: 'collection'
    })
    assert.deepEqual(operations[0], {
      method: 'POST',
      path: '/extract',
      main: true,
      idempotent: true,
      internal: false,
      firstByteTimeout: 10_000,
      chunkTimeout: 5000,
      bodyLimit: 2 * 1024 * 1024
    })
    assert.equal(operations[2]?.firstByteTimeout, 300_000)
    assert.equal(operations[2]?.chunkTimeout, 60_000)
    assert.equal(operations[2]?.bodyLimit, 512 * 1024)
    assert.equal(operations[3]?.internal, true)
    assert.deepEqual(manifest.needs, { cores: 1.5, memory: 200, disk: 10, gpu: true, gpuMemory: 4096 })
    assert.deepEqual(manifest.backend, {
      type: 'process',
      command: ['node', '--conditions=hedgerow-source', 'src/main.ts'],
      env: { MODEL: 'small', THREADS: '2' }
    })
    assert.deepEqual(manifest.health, { path: '/healthz', interval: 4000, timeout: 1500, start: 20_000 })
    assert.deepEqual(manifest.admission, { concurrency: 8, queue: 16 })
    assert.deepEqual(manifest.resources, { path: '/resources', interval: 3000 })
    assert.deepEqual(manifest.state, { key: 'collection' })
    assert.equal(manifest.folder, '/s')
  })

  it('says how many workers should run it, or that all should that can', () => {
    const wanted = (text: string) => {
      const { contract, everywhere } = valid(text)
      return [contract.replicas, everywhere]
    }
    const process = MINIMAL.replace('url: http://127.0.0.1:9999', 'process: { command: [a] }')
    assert.deepEqual(wanted(process), [2, false])
    assert.deepEqual(wanted(`${process}replicas: 5`), [5, false])
    assert.deepEqual(wanted(`${process}replicas: everywhere`), [0, true])
    assert.deepEqual(wanted(MINIMAL), [0, true])
    assert.deepEqual(wanted(`${MINIMAL}replicas: 5`), [5, false])
  })

  it('needs little: the rest has defaults', () => {
    const manifest = valid(MINIMAL)
    assert.equal(manifest.contract.tier, 'cpu')
    assert.deepEqual(manifest.contract.aliases, [])
    assert.equal('stateKey' in manifest.contract, false)
    assert.equal(manifest.resources, undefined)
    assert.equal(manifest.needs.gpu, false)
    assert.equal(manifest.health.path, '/health')
    assert.ok((manifest.contract.operations[0]?.bodyLimit ?? 0) > 0)
  })

  it('tells all that is wrong at once, each with line and field', () => {
    const text = `name: Ner Extraction
version: 1.0
title: Finds
aliases: [ner, 5]
replicas: many
needs: { cores: 1, memoryMb: 200 }
backend:
  process: { command: node, env: { A-B: 1, C: [] } }
health: { path: health }
admission: { concurrency: 0 }
operations:
  - { method: post, path: extract }
  - { path: "/a/{id" }
`
    assert.deepEqual(places(text), [
      '1 name',
      '2 version',
      '4 aliases[1]',
      '5 replicas',
      '6 needs.memoryMb',
      '8 backend.process.command',
      '8 backend.process.env.A-B',
      '8 backend.process.env.C',
      '9 health.path',
      '10 admission.concurrency',
      '12 operations[0].method',
      '12 operations[0].path',
      '13 operations[1].method',
      '13 operations[1].path'
    ])
  })

  for (const [wrong, meant] of [
    ['teir', 'tier'],
    ['replica', 'replicas'],
    ['bodyLimitMb', 'body_limit_mb'],
    ['helth', 'health']
  ] as const) {
    it(`takes ${wrong} for a slip of ${meant}`, () => {
      const parsed = parse(`${MINIMAL}${wrong}: 1\n`)
      assert.ok(Array.isArray(parsed))
      assert.equal(parsed[0]?.field, wrong)
      assert.match(parsed[0]?.message ?? '', new RegExp(`did you mean ${meant}\\?`))
    })
  }

  it('guesses nothing for a field that is like no other', () => {
    const parsed = parse(`${MINIMAL}wombat: 1\n`)
    assert.ok(Array.isArray(parsed))
    assert.doesNotMatch(parsed[0]?.message ?? '', /did you mean/)
  })

  it('names the fields that are missing', () => {
    assert.deepEqual(places('title: x\n').sort(), ['- backend', '- name', '- version'])
  })

  it('finds the line through an alias', () => {
    const text = `${MINIMAL.replace('operations: [{ method: GET, path: /echo }]', '')}operations:
  - &one
    method: get
    path: /a
  - *one
`
    assert.deepEqual(places(text), ['9 operations[0].method', '9 operations[1].method'])
  })

  for (const [what, change, place] of [
    ['two backends', ['{ url: http://127.0.0.1:9999 }', '{ url: "http://x", process: { command: [a] } }'], '5 backend'],
    ['no backend', ['{ url: http://127.0.0.1:9999 }', '{}'], '5 backend'],
    [
      'a backend of an unknown kind',
      ['{ url: http://127.0.0.1:9999 }', '{ url: "http://x", carrier_pigeon: 1 }'],
      '5 backend.carrier_pigeon'
    ],
    ['a URL of another protocol', ['http://127.0.0.1:9999', 'ftp://example.org'], '5 backend.url'],
    ['a URL that is none', ['http://127.0.0.1:9999', 'localhost'], '5 backend.url'],
    ['a URL with a query', ['http://127.0.0.1:9999', 'http://x/?a=1'], '5 backend.url'],
    ['a URL with a password', ['http://127.0.0.1:9999', 'http://me:secret@x/'], '5 backend.url'],
    [
      'two main operations',
      [
        '[{ method: GET, path: /echo }]',
        '[{ method: GET, path: /a, main: true }, { method: GET, path: /b, main: true }]'
      ],
      '6 operations[1].main'
    ],
    ['a main operation with a parameter', ['path: /echo', 'path: "/{id}", main: true'], '6 operations[0].main'],
    [
      'an operation declared twice',
      ['[{ method: GET, path: /echo }]', '[{ method: GET, path: "/{a}" }, { method: GET, path: "/{b}" }]'],
      '6 operations[1]'
    ],
    ['a star amid a path', ['path: /echo', 'path: "/a*"'], '6 operations[0].path'],
    ['an alias that is the name', ['version: 1.0.0', 'version: 1.0.0\naliases: [echo]'], '4 aliases[0]'],
    [
      'a reserved variable',
      ['{ url: http://127.0.0.1:9999 }', '{ process: { command: [a], env: { PORT: 1 } } }'],
      '5 backend.process.env.PORT'
    ],
    [
      'GPU memory without a GPU',
      ['version: 1.0.0', 'version: 1.0.0\nneeds: { gpu: false, gpu_memory_mb: 1 }'],
      '4 needs.gpu_memory_mb'
    ]
  ] as const) {
    it(`refuses ${what}`, () => {
      const [from, to] = change
      assert.deepEqual(places(MINIMAL.replace(from, to)), [place])
    })
  }

  it('repeats no password in an error', () => {
    const parsed = parse(MINIMAL.replace('http://127.0.0.1:9999', 'http://me:hunter2@x/'))
    assert.doesNotMatch(JSON.stringify(parsed), /hunter2/)
  })

  it('keeps the path of a URL as a prefix', () => {
    const { backend } = valid(MINIMAL.replace('http://127.0.0.1:9999', 'https://example.org:8443/ollama/'))
    assert.deepEqual(backend, { type: 'url', origin: 'https://example.org:8443', prefix: '/ollama' })
  })

  it('says where YAML is broken', () => {
    assert.deepEqual(places('name: a\ntitle: [1\nversion: 2\n').slice(0, 1), ['3 -'])
    assert.deepEqual(places('name: a\nname: b\n'), ['2 -'])
    assert.deepEqual(places(`${MINIMAL}---\n${MINIMAL}`), ['7 -'])
    assert.deepEqual(places(''), ['- -'])
    assert.deepEqual(places('just a text'), ['- -'])
  })

  it('refuses bombs without choking on them', () => {
    places('['.repeat(60_000))
    places('- '.repeat(30_000))
    places('a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n')
    places(`title: ${'x'.repeat(70_000)}`)
    places(`${MINIMAL}x: &x { y: *x }\n`)
  })
})

describe('variables in a manifest', () => {
  const withUrl = (url: string): string => MINIMAL.replace('http://127.0.0.1:9999', JSON.stringify(url))
  const origin = (url: string, env: Variables): string => {
    const { backend } = valid(withUrl(url), env)
    assert.equal(backend.type, 'url')
    return backend.type === 'url' ? backend.origin : ''
  }

  it('are replaced in a URL, with a default where unset or empty', () => {
    assert.equal(origin('http://${HOST_NAME}:80${DIGITS}', { HOST_NAME: 'gpu', DIGITS: '81' }), 'http://gpu:8081')
    assert.equal(origin('${URL:-http://localhost:1}', {}), 'http://localhost:1')
    assert.equal(origin('${URL:-http://localhost:1}', { URL: '' }), 'http://localhost:1')
  })

  it('are an error where unset, or empty, without a default', () => {
    assert.match(JSON.stringify(parse(withUrl('${UPSTREAM}'), { UPSTREAM: '' })), /UPSTREAM is empty/)
    assert.deepEqual(places(withUrl('${UPSTREAM}')), ['5 backend.url'])
    const parsed = parse(withUrl('${UPSTREAM}'))
    assert.match(JSON.stringify(parsed), /UPSTREAM/)
  })

  it('are an error where they are none', () => {
    assert.deepEqual(places(withUrl('http://${a b}')), ['5 backend.url'])
  })

  it('may be written literally, and stand for nothing outside URLs and variables', () => {
    const text = MINIMAL.replace(
      '{ url: http://127.0.0.1:9999 }',
      () => '{ process: { command: [run, "${A}"], env: { B: "$${A} ${A}" } } }'
    )
    assert.deepEqual(valid(text, { A: '1' }).backend, {
      type: 'process',
      command: ['run', '${A}'],
      env: { B: '${A} 1' }
    })
  })

  it("are not read from an object's own machinery", () => {
    assert.deepEqual(places(withUrl('http://${constructor}'), {}), ['5 backend.url'])
  })
})

describe('the manifest of a TCP service', () => {
  const POSTGRES = `
name: postgresql
version: 16.0.0
title: A relational database
protocol: tcp
backend: { tcp: "127.0.0.1:5432" }
`

  it('names a server, and nothing of HTTP', () => {
    const { contract, backend, everywhere, idleTimeout } = valid(POSTGRES)
    assert.equal(contract.protocol, 'tcp')
    assert.deepEqual(contract.operations, [])
    assert.deepEqual(backend, { type: 'tcp', host: '127.0.0.1', port: 5432 })
    assert.equal(everywhere, true)
    assert.equal(idleTimeout, 7_440_000)
  })

  it('may be of a process that the daemon starts', () => {
    const { contract, backend, idleTimeout } = valid(
      `${POSTGRES.replace('{ tcp: "127.0.0.1:5432" }', '{ process: { command: [serve] } }')}timeouts: { idle_s: 60 }`
    )
    assert.equal(contract.protocol, 'tcp')
    assert.equal(backend.type, 'process')
    assert.equal(idleTimeout, 60_000)
  })

  it('knows IPv6 addresses, names and variables', () => {
    const backend = (place: string, env: Variables = {}) =>
      valid(POSTGRES.replace('127.0.0.1:5432', place), env).backend
    assert.deepEqual(backend('[::1]:5432'), { type: 'tcp', host: '::1', port: 5432 })
    assert.deepEqual(backend('db.internal:65535'), { type: 'tcp', host: 'db.internal', port: 65_535 })
    assert.deepEqual(backend('${DB_HOST:-localhost}:${DB_PORT}', { DB_PORT: '5433' }), {
      type: 'tcp',
      host: 'localhost',
      port: 5433
    })
  })

  for (const place of ['127.0.0.1', ':5432', 'host:0', 'host:65536', 'tcp://host:1', '::1:5432', '[x]:1', 'a b:1']) {
    it(`refuses ${place} as a place`, () => {
      assert.deepEqual(places(POSTGRES.replace('127.0.0.1:5432', place)), ['6 backend.tcp'])
    })
  }

  for (const [what, change, place] of [
    [
      'a TCP server of a service that speaks HTTP',
      ['protocol: tcp', 'operations: [{ method: GET, path: / }]'],
      '6 backend.tcp'
    ],
    ['operations', ['protocol: tcp', 'protocol: tcp\noperations: [{ method: GET, path: / }]'], '6 operations'],
    ['a health path', ['protocol: tcp', 'protocol: tcp\nhealth: { path: /health }'], '6 health.path'],
    [
      'a time to the first byte',
      ['protocol: tcp', 'protocol: tcp\ntimeouts: { first_byte_s: 3 }'],
      '6 timeouts.first_byte_s'
    ],
    ['a URL', ['{ tcp: "127.0.0.1:5432" }', '{ url: "http://127.0.0.1:5432" }'], '6 backend.url']
  ] as const) {
    it(`refuses ${what}`, () => {
      const [from, to] = change
      assert.deepEqual(places(POSTGRES.replace(from, to)), [place])
    })
  }

  it('is the only one that needs no operations', () => {
    assert.deepEqual(places(MINIMAL.replace('operations: [{ method: GET, path: /echo }]', '')), ['- operations'])
  })
})
