import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { toJson } from '../src/cli/io.ts'
import { summary } from '../src/commands/ping.ts'
import { serviceRow } from '../src/commands/top.ts'
import { renderProviders } from '../src/render/dht.ts'
import { renderExplain } from '../src/render/explain.ts'
import { age, bytes, duration, mebibytes, milliseconds, percent, shortId } from '../src/render/format.ts'
import { containers } from '../src/render/inspect.ts'
import { renderPeers } from '../src/render/peers.ts'
import { renderServices } from '../src/render/services.ts'
import { printable, type Style, styleFor } from '../src/render/style.ts'
import { table, wrap } from '../src/render/table.ts'
import type { Via } from '../src/source/index.ts'
import { NOW, peer } from './support/peers.ts'

const plain: Style = { paint: (_format, text) => text, now: NOW }
const via: Via = { mode: 'daemon', name: 'relay', peer_id: '12D3KooWrelay', url: 'http://127.0.0.1:8080' }
const lines = (text: string): string[] => text.split('\n')

describe('numbers for people', () => {
  it('have the unit that fits', () => {
    assert.deepEqual([0.421, 4.25, 42.4, 1240, 61_000, 250_000].map(milliseconds), [
      '0.42 ms',
      '4.3 ms',
      '42 ms',
      '1.2 s',
      '61 s',
      '250 s'
    ])
    assert.equal(milliseconds(0), '<1 ms')
    assert.equal(milliseconds(null), '–')
    assert.deepEqual([3, 61, 3700, 200_000].map(duration), ['3 s', '1 min', '1 h', '2 d'])
    assert.deepEqual([512, 2048, 5 * 1024 * 1024].map(bytes), ['512 B', '2 KiB', '5 MiB'])
    assert.equal(mebibytes(24_064), '23.5 GiB')
    assert.deepEqual([0, 0.0001, 0.012, 0.5].map(percent), ['0 %', '<0.1 %', '1.2 %', '50 %'])
  })

  it('say when something was, whatever the clocks are', () => {
    assert.equal(age(new Date(NOW - 12_000).toISOString(), NOW), '12 s ago')
    assert.equal(age(new Date(NOW + 60_000).toISOString(), NOW), 'now')
    assert.equal(age('whenever', NOW), '–')
  })

  it('shorten an id to what can be pasted', () => {
    assert.equal(shortId('12D3KooWAaaaBbbbCcccDddd'), '…CcccDddd')
  })
})

describe('containers', () => {
  it('are run by an engine, or not, with the reason where it is told', () => {
    assert.equal(
      containers({ state: 'ready', engine: 'Podman 5.4.0', gpu: false }),
      'run by Podman 5.4.0, without a GPU'
    )
    assert.equal(containers({ state: 'ready', engine: 'Docker 27.1.0', gpu: true }), 'run by Docker 27.1.0, with GPUs')
    assert.equal(containers({ state: 'none' }), 'none are run here (none)')
    assert.equal(containers({ state: 'failed', reason: 'no engine\u001b[2J answers' }), 'no engine answers')
  })
})

describe('text of strangers', () => {
  it('cannot move the cursor, colour the screen, or run over lines', () => {
    const name = 'evil\u001b[2J\u001b]0;title\u0007\r\n\u009b31m\u202eworker'
    const shown = printable(name)
    assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}]/u)
    assert.match(shown, /^evil.*worker$/)
    const out = renderPeers({ via, peers: [peer({ name })], count: 1 }, plain)
    assert.doesNotMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
    assert.equal(lines(out).length, 4)
  })

  it('is escaped in JSON too, and reads back as it was', () => {
    const value = { name: 'a\u009b31m\u001b[1m\u2028b' }
    const json = toJson(value)
    assert.doesNotMatch(json.replaceAll('\n', ''), /[\p{Cc}\p{Zl}]/u)
    assert.deepEqual(JSON.parse(json), value)
  })
})

describe('peers', () => {
  it('are listed with what keeps pages elsewhere from them, and how to mend it, where one is behind a NAT', () => {
    const near = { via, peers: [peer({ name: 'worker-1', path: 'direct' })], count: 1 }
    const report = { ...near, peers: [...near.peers, peer({ name: 'worker-2', path: 'relayed' })] }
    assert.doesNotMatch(renderPeers({ ...near, direct_paths: 'local_network' }, plain), /HEDGEROW_ICE_SERVERS/)
    assert.match(
      renderPeers({ ...report, direct_paths: 'local_network' }, plain),
      /one network only.*HEDGEROW_ICE_SERVERS/
    )
    for (const said of [{}, { direct_paths: 'anywhere' }])
      assert.doesNotMatch(renderPeers({ ...report, ...said }, plain), /HEDGEROW_ICE_SERVERS/)
  })
})

describe('peers of an open mesh', () => {
  it('are listed with a warning', () => {
    const report = { via, peers: [peer({ name: 'worker-1' })], count: 1 }
    assert.match(renderPeers({ ...report, closed: false }, plain), /this mesh is open/)
    for (const said of [{}, { closed: true }])
      assert.doesNotMatch(renderPeers({ ...report, ...said }, plain), /is open/)
  })
})

describe('colour', () => {
  it('is for terminals whose owner did not refuse it', () => {
    const coloured = (isTTY: boolean, env: Record<string, string> = {}): boolean =>
      styleFor({ isTTY, columns: 80 }, env).paint('red', 'x') !== 'x'
    assert.equal(coloured(true), true)
    assert.equal(coloured(false), false)
    assert.equal(coloured(true, { NO_COLOR: '1' }), false)
    assert.equal(coloured(true, { NO_COLOR: '' }), true)
    assert.equal(coloured(true, { TERM: 'dumb' }), false)
  })
})

describe('tables', () => {
  const columns = [{ title: 'NAME' }, { title: 'SERVICES', flexible: true }, { title: 'N', align: 'right' as const }]
  const rows = [['worker-1', 'document-processing, ner-extraction, vision-ocr', '12']]

  it('are as wide as they like where nobody looks at them', () => {
    assert.deepEqual(lines(table(columns, rows, plain)), [
      'NAME      SERVICES                                          N',
      'worker-1  document-processing, ner-extraction, vision-ocr  12'
    ])
  })

  it('fit a terminal by wrapping the column that may', () => {
    const shown = lines(table(columns, rows, { ...plain, width: 36 }))
    assert.ok(shown.length > 2)
    for (const line of shown) assert.ok(line.length <= 36, line)
  })

  it('keep colour within its cell', () => {
    const style: Style = { ...plain, paint: (_format, text) => `\u001b[31m${text}\u001b[39m`, width: 30 }
    const shown = table(columns, [['a', { text: 'one two three four five six', format: 'red' }, '1']], style)
    for (const line of lines(shown)) {
      assert.equal(line.split('\u001b[31m').length, line.split('\u001b[39m').length)
      assert.ok(stripVTControlCharacters(line).length <= 30)
    }
  })

  it('wrap at spaces and hyphens, and cut only what is longer than a line', () => {
    assert.equal(wrap('document-processing, ner', 12), 'document-\nprocessing,\nner')
    assert.equal(wrap('abcdefghijklmnopq', 8), 'abcdefgh\nijklmnop\nq')
    assert.equal(wrap('short', 12), 'short')
  })
})

describe('peers', () => {
  it('show what is wrong with one instead of when it was seen', () => {
    const shown = renderPeers(
      {
        via,
        peers: [
          peer({ name: 'well', load: { in_flight: 3, queued: 2, services: {} } }),
          peer({ name: 'quiet', silent: true }),
          peer({ name: 'out', ejected_for_ms: 12_000 }),
          peer({ name: 'gone', reachable: false, path: null }),
          peer({ name: 'relay', role: 'relay', path: 'local' })
        ],
        count: 5
      },
      plain
    )
    const row = (name: string): string => lines(shown).find(line => line.startsWith(name)) ?? ''
    assert.match(row('well'), /3 \+ 2 queued {2}direct\/tcp +1\.5 ms +5 s ago$/)
    assert.match(row('quiet'), /silent, 5 s ago$/)
    assert.match(row('out'), /ejected for 12 s$/)
    assert.match(row('gone'), /unreachable$/)
    assert.match(row('relay'), /local +– +–$/)
  })

  it('say so when there are none', () => {
    assert.equal(lines(renderPeers({ via, peers: [], count: 0 }, plain)).length, 1)
  })
})

describe('services', () => {
  it('name the gaps and the workers, by id where no name is known', () => {
    const shown = renderServices(
      {
        via,
        services: [
          {
            name: 'ner-extraction',
            title: '',
            version: '1',
            aliases: ['ner'],
            tier: 'cpu',
            wanted: 2,
            found: 2,
            healthy: 1,
            workers: [
              { name: 'worker-1', peer_id: 'x' },
              { name: '', peer_id: '12D3KooWAaaaBbbbCccc' }
            ]
          }
        ],
        gaps: ['llm-inference']
      },
      plain
    )
    assert.match(shown, /ner-extraction {2}ner +http +cpu +2 +2 +1 {2}worker-1, …BbbbCccc/)
    assert.match(shown, /nobody offers llm-inference now/)
  })
})

describe('a decision', () => {
  const explanation = {
    request_id: 'abc',
    service: 'ner-extraction',
    operation: 'POST /extract',
    at: '2026-03-01T12:00:00.000Z',
    source: 'view',
    candidates: [
      { peer_id: '12D3KooWslow-one', score: null, rejected: 'ejected: wedged' },
      { peer_id: '12D3KooWsecond-1', score: 20.123, latency_ms: 12, in_flight: 1, queued: 0, concurrency: 4 },
      { peer_id: '12D3KooWfirst-01', score: 4, latency_ms: 3, in_flight: 0, queued: 0, concurrency: 4 }
    ],
    chosen: '12D3KooWsecond-1',
    attempts: [
      {
        peer_id: '12D3KooWfirst-01',
        outcome: 'WorkerLost',
        detail: 'reset',
        path: null,
        transport: null,
        reason: 'picked',
        ms: 5
      },
      {
        peer_id: '12D3KooWsecond-1',
        outcome: 'answered',
        status: 200,
        path: 'direct',
        transport: 'tcp',
        reason: 'retry',
        ms: 7
      }
    ],
    outcome: 'answered',
    path: 'direct',
    transport: 'tcp',
    timing: { total_ms: 13, lookup_ms: 0, first_byte_ms: 12.5 },
    names: { '12D3KooWfirst-01': 'worker-1', '12D3KooWsecond-1': 'worker-2' }
  }

  it('shows the best candidate first, why not the others, and every attempt', () => {
    const shown = lines(renderExplain(explanation, plain))
    const at = (pattern: RegExp): number => shown.findIndex(line => pattern.test(line))
    assert.ok(at(/worker-1 .* 4 /) < at(/worker-2 .* 20\.12 .*answered/))
    assert.ok(at(/worker-2 .* 20\.12/) < at(/…slow-one .*not asked: ejected: wedged/))
    assert.match(shown[at(/^ {2}1 {2}/)] ?? '', /worker-1 .*picked +WorkerLost .*5 ms {2}reset/)
    assert.match(shown[at(/^ {2}2 {2}/)] ?? '', /worker-2 .*retry +answered 200 .*direct\/tcp/)
    assert.match(shown[0] ?? '', /answered 200/)
  })

  it('says in words why a newcomer was asked, and only then', () => {
    const [first, ...others] = explanation.attempts
    assert.ok(first != null)
    const shown = renderExplain({ ...explanation, attempts: [{ ...first, reason: 'new' }, ...others] }, plain)
    assert.match(shown, /^new: not asked from here before/m)
    assert.doesNotMatch(renderExplain(explanation, plain), /^(new|hedge): /m)
  })

  it('is clear when nobody could be asked', () => {
    const shown = renderExplain(
      { ...explanation, candidates: [], attempts: [], chosen: null, outcome: 'NoWorker', path: null, transport: null },
      plain
    )
    assert.match(shown, /NoWorker/)
    assert.match(shown, /nobody/)
  })
})

describe('sums', () => {
  it("of a service count its own workers' loads and nobody else's", () => {
    const load = (in_flight: number, latency_ms: number, error_rate = 0) => ({
      in_flight,
      queued: 1,
      concurrency: 4,
      latency_ms,
      error_rate
    })
    const peers = [
      peer({ name: 'a', load: { in_flight: 9, queued: 9, services: { ner: load(2, 10), ocr: load(7, 99) } } }),
      peer({ name: 'b', load: { in_flight: 9, queued: 9, services: { ner: load(1, 0, 0.25) } } }),
      peer({ name: 'c', load: { in_flight: 9, queued: 9, services: { ner: load(5, 5) } } })
    ]
    const service = { name: 'ner', title: '', version: '1', aliases: [], tier: 'cpu', wanted: 2, found: 2, healthy: 2 }
    assert.deepEqual(serviceRow({ ...service, workers: ['12D3KooWa', '12D3KooWb'] }, peers, 3), {
      name: 'ner',
      wanted: 2,
      found: 2,
      healthy: 2,
      in_flight: 3,
      queued: 2,
      concurrency: 8,
      latency_ms: 10,
      error_rate: 0.25,
      requests_per_s: 3
    })
  })

  it('of pings leave out those that were not answered', () => {
    const pong = (sequence: number, round_trip_ms: number) => ({
      sequence,
      peer_id: 'x',
      status: 'healthy',
      round_trip_ms,
      path: 'direct',
      transport: 'tcp'
    })
    assert.deepEqual(summary([pong(1, 2), { sequence: 2, error: 'gone' }, pong(3, 5)]), {
      sent: 3,
      answered: 2,
      min_ms: 2,
      avg_ms: 3.5,
      max_ms: 5
    })
    assert.equal(summary([{ sequence: 1, error: 'gone' }]).avg_ms, null)
  })
})

describe('providers in the DHT', () => {
  it('have each address once, direct ones first, and not more than help', () => {
    const peer_id = '12D3KooWAaaaBbbbCccc1111'
    const addrs = [1, 2, 3, 4].flatMap(n => [`/ip4/10.0.0.${n}/tcp/1/p2p/X/p2p-circuit`, `/ip4/10.0.0.${n}/tcp/1`])
    const shown = renderProviders(
      {
        service: 'ner',
        cid: 'bafk',
        providers: [{ peer_id, addrs: [...addrs, ...addrs.map(addr => `${addr}/p2p/${peer_id}`)] }],
        names: {},
        via
      },
      plain
    )
    assert.equal(shown.match(/\/ip4\//g)?.length, 4)
    assert.ok(!shown.includes('p2p-circuit'))
    assert.match(shown, /and 4 more/)
  })
})
