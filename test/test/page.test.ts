import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type * as Entry from '../fixtures/page/mesh.ts'
import type { TestMesh } from '../src/harness.ts'
import { type PageMesh, pageMesh } from '../src/page-mesh.ts'

declare const entry: typeof Entry

const MIB = 1024 * 1024

describe('a page in a mesh', function () {
  this.timeout(120_000)
  let all: PageMesh
  let mesh: TestMesh
  let page: Page

  before(async function () {
    all = await pageMesh(this)
    mesh = all.mesh
    page = await joinedPage()
    await page.evaluate(count => entry.reachedBy('direct', count), mesh.workers.length)
  })

  after(() => all?.stop())

  async function joinedPage(): Promise<Page> {
    const opened = await all.open()
    await opened.evaluate(relay => entry.join([relay]), mesh.relay.url)
    return opened
  }

  it('asks workers directly, and says so', async () => {
    const { status, headers, text } = await page.evaluate(() =>
      entry.ask('/service/lab/echo', { method: 'POST', body: 'hello' })
    )
    assert.deepEqual([status, text], [200, 'hello'])
    assert.equal(headers['hedgerow-path'], 'direct')
    assert.match(headers['hedgerow-transport'] ?? '', /^webrtc/)
    assert.equal(headers['hedgerow-attempts'], '1')
    assert.ok(mesh.workers.some(({ peerId }) => peerId === headers['hedgerow-worker']))
    assert.match(headers['server-timing'] ?? '', /queue;dur=.*backend;dur=.*network;dur=/)
    assert.match(headers.traceparent ?? '', /^00-/)
    const explained = await page.evaluate(id => entry.mesh().explain(id) ?? null, headers['hedgerow-request-id'] ?? '')
    assert.equal(explained?.chosen, headers['hedgerow-worker'])
  })

  it('knows the peers and their services', async () => {
    const { peers, services, status, name } = await page.evaluate(() => ({
      peers: entry.mesh().peers(),
      services: entry.mesh().services(),
      status: entry.mesh().status,
      name: entry.mesh().name
    }))
    assert.deepEqual([status, name], ['online', 'hedgerow'])
    assert.deepEqual(peers.map(({ name }) => name).sort(), ['relay', 'worker-1', 'worker-2'])
    const lab = services.find(({ name }) => name === 'lab')
    assert.deepEqual(lab?.workers.toSorted(), mesh.workers.map(({ peerId }) => peerId).sort())
    assert.deepEqual(lab?.aliases, ['laboratory'])
  })

  describe('fetches as fetch does', () => {
    it('every kind of body', async () => {
      const types = await page.evaluate(async () => {
        const sent: Array<[string, BodyInit]> = [
          ['text', 'plain'],
          ['bytes', new Uint8Array([112, 108, 97, 105, 110])],
          ['blob', new Blob(['plain'], { type: 'image/x-test' })],
          ['parameters', new URLSearchParams({ a: 'b c' })],
          ['stream', new Blob(['plain']).stream()]
        ]
        const found: Record<string, string[]> = {}
        for (const [name, body] of sent) {
          const { headers, text } = await entry.ask('/service/lab/echo', { method: 'POST', body })
          found[name] = [headers['content-type'] ?? '', text]
        }
        return found
      })
      assert.deepEqual(types, {
        text: ['text/plain;charset=UTF-8', 'plain'],
        bytes: ['application/octet-stream', 'plain'],
        blob: ['image/x-test', 'plain'],
        parameters: ['application/x-www-form-urlencoded;charset=UTF-8', 'a=b+c'],
        stream: ['application/octet-stream', 'plain']
      })
    })

    it('forms with files, Request objects and URLs', async () => {
      const [form, request] = await page.evaluate(async () => {
        const data = new FormData()
        data.set('file', new Blob(['content']), 'a.txt')
        const form = await entry.ask('/service/lab/echo', { method: 'POST', body: data })
        const made = new Request(new URL('/service/laboratory', location.href), {
          method: 'POST',
          body: 'from a Request',
          headers: { 'content-type': 'text/x' }
        })
        const response = await entry.mesh().fetch(made)
        return [form, [response instanceof Response, response.headers.get('content-type'), await response.text()]]
      })
      assert.ok('text' in form && form.text.includes('filename="a.txt"') && form.text.includes('content'))
      assert.deepEqual(request, [true, 'text/x', 'from a Request'])
    })

    it('statuses without a body, and errors of services as they are', async () => {
      const [empty, own, missing] = await page.evaluate(async () => [
        await entry.ask('/service/lab/bad-idempotent/error'),
        await entry.ask('/service/lab/nothing-here'),
        await entry.ask('/service/no-such-service')
      ])
      assert.deepEqual([empty?.status, JSON.parse(empty?.text ?? '')], [500, { own: 'error' }])
      assert.deepEqual([own?.status, JSON.parse(own?.text ?? '').code], [404, 'UnknownOperation'])
      assert.deepEqual([missing?.status, JSON.parse(missing?.text ?? '').code], [404, 'UnknownService'])
      assert.equal(missing?.headers['content-type'], 'application/problem+json')
    })

    it('refuses what fetch refuses', async () => {
      const failures = await page.evaluate(async () => {
        const locked = new Blob(['x']).stream()
        locked.getReader()
        const used = new Request('/service/lab/echo', { method: 'POST', body: 'x' })
        await used.text()
        return Promise.all(
          [
            entry.ask('/service/lab/counted', { body: 'x' }),
            entry.ask('http://['),
            entry.ask('http://user:password@mesh/service/lab/counted'),
            entry.ask('/service/lab/echo', { method: 'TRACE' }),
            entry.ask('/service/lab/echo', { method: 'a b' }),
            entry.ask('/service/lab/echo', { method: 'POST', body: locked }),
            entry.mesh().fetch(used)
          ].map(entry.failure)
        )
      })
      assert.deepEqual(
        failures.map(({ name }) => name),
        failures.map(() => 'TypeError')
      )
    })

    it('and gives a Response as fetch does: its address, copies, no body for HEAD, bytes into the buffer of a reader', async () => {
      const result = await page.evaluate(async () => {
        const { fetch } = entry.mesh()
        const ask = fetch.bind(entry.mesh())
        const echoed = await ask('/service/lab/echo#here', { method: 'post', body: 'twice' })
        const copy = echoed.clone()
        const head = await ask('/service/lab/any', { method: 'HEAD' })
        const reader = (await ask('/service/lab/source?bytes=300000')).body?.getReader({ mode: 'byob' })
        let read = 0
        for (let step = await reader?.read(new Uint8Array(1000)); step?.done === false; ) {
          read += step.value.byteLength
          step = await reader?.read(new Uint8Array(step.value.buffer))
        }
        return {
          urls: [echoed.url, copy.clone().url].map(url => url.replace(location.origin, '')),
          texts: [await echoed.text(), await copy.text()],
          head: [head.body, await head.text(), head.headers.get('x-method')],
          read,
          missing: (await ask('https://example.org/nothing')).url
        }
      })
      assert.deepEqual(result, {
        urls: ['/service/lab/echo', '/service/lab/echo'],
        texts: ['twice', 'twice'],
        head: [null, '', 'HEAD'],
        read: 300_000,
        missing: 'https://example.org/nothing'
      })
    })

    it('takes an answer that leads elsewhere for an error where that was asked for', async () => {
      const [handed, refused] = await page.evaluate(async () => {
        const moved = '/service/lab/answer?status=302&location=/elsewhere'
        return [await entry.ask(moved), await entry.failure(entry.ask(moved, { redirect: 'error' }))] as const
      })
      assert.deepEqual([handed.status, handed.headers.location], [302, '/elsewhere'])
      assert.deepEqual([refused.name, refused.code], ['TypeError', 'BackendFailed'])
    })

    it("leaves headers out that are not a page's to set", async () => {
      const { text } = await page.evaluate(() =>
        entry.ask('/service/lab/headers', { headers: { cookie: 'a=b', host: 'other', te: 'x', 'x-own': 'kept' } })
      )
      const { headers } = JSON.parse(text)
      assert.deepEqual([headers.cookie, headers.te, headers['x-own']], [undefined, undefined, 'kept'])
      assert.notEqual(headers.host, 'other')
    })

    it('stops reading a body that is a stream, and says what was wrong with it', async () => {
      const { aborted, refused, failures } = await page.evaluate(async () => {
        /** Resolves when the stream is cancelled, by what `send` does with it. */
        const cancelledBy = async (send: (body: ReadableStream) => void): Promise<boolean> => {
          const cancelled = Promise.withResolvers<boolean>()
          send(new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => cancelled.resolve(true) }))
          return cancelled.promise
        }
        const controller = new AbortController()
        const aborted = cancelledBy(body => {
          const { signal } = controller
          entry.ask('/service/lab/sink', { method: 'POST', body, signal }).catch(() => {})
          setTimeout(() => controller.abort(), 50)
        })
        const refused = cancelledBy(body => void entry.ask('/service/no-such-service', { method: 'POST', body }))
        const failing = (start: (controller: ReadableStreamDefaultController) => void): Promise<unknown> =>
          entry.ask('/service/lab/sink', { method: 'POST', body: new ReadableStream({ start }) })
        return {
          aborted: await aborted,
          refused: await refused,
          failures: [
            await entry.failure(failing(stream => stream.error(new Error('of its own')))),
            await entry.failure(failing(stream => stream.enqueue('no bytes')))
          ]
        }
      })
      assert.deepEqual([aborted, refused], [true, true])
      assert.deepEqual(
        failures.map(({ name, code }) => [name, code]),
        failures.map(() => ['TypeError', 'ClientGone'])
      )
    })

    it('says that a file can not be read any more', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'hedgerow-file-'))
      try {
        const path = join(dir, 'letter.txt')
        await writeFile(path, 'Dear Ann')
        await page.evaluate(() =>
          document.body.append(Object.assign(document.createElement('input'), { type: 'file' }))
        )
        await page.locator('input[type=file]').setInputFiles(path)
        await rm(path)
        const failed = await page.evaluate(async () => {
          const body = document.querySelector('input')?.files?.[0] ?? 'no file was chosen'
          return entry.failure(entry.ask('/service/lab/echo', { method: 'POST', body }))
        })
        assert.deepEqual([failed.name, failed.code], ['TypeError', 'ClientGone'])
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    })

    it('says why a body broke off, whichever way it is read', async () => {
      const [text, copy, aborted] = await page.evaluate(async () => {
        const { fetch } = entry.mesh()
        const ask = fetch.bind(entry.mesh())
        const half = await ask('/service/lab/bad/half')
        const copied = half.clone()
        const controller = new AbortController()
        const ticking = await ask('/service/lab/ticks?ms=20', { signal: controller.signal })
        setTimeout(() => controller.abort(), 50)
        return Promise.all([half.text(), copied.blob(), ticking.text()].map(entry.failure))
      })
      assert.deepEqual([text?.name, text?.code], ['TypeError', 'WorkerLost'])
      assert.deepEqual([copy?.name, copy?.code], ['TypeError', 'WorkerLost'])
      assert.equal(aborted?.name, 'AbortError')
    })

    it('stops when it is told to, before the answer and in the middle of it', async () => {
      const [before, middle] = await page.evaluate(async () => {
        const early = new AbortController()
        const asked = entry.failure(entry.ask('/service/lab/slow?ms=20000', { signal: early.signal }))
        setTimeout(() => early.abort(), 100)
        const late = new AbortController()
        const response = await entry.mesh().fetch('/service/lab/ticks?ms=20', { signal: late.signal })
        const reader = response.body?.getReader()
        await reader?.read()
        late.abort(new DOMException('enough', 'AbortError'))
        const rest = entry.failure(
          (async () => {
            for (let next = await reader?.read(); next?.done === false; next = await reader?.read());
          })()
        )
        return [await asked, await rest]
      })
      assert.equal(before?.name, 'AbortError')
      assert.deepEqual([middle?.name, middle?.message], ['AbortError', 'enough'])
    })

    it('a stream of events, one by one', async () => {
      const pieces = await page.evaluate(async () => {
        const response = await entry.mesh().fetch('/service/lab/ticks?ms=50&count=5')
        const pieces: string[] = []
        const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
        for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) pieces.push(next.value)
        return pieces
      })
      assert.equal(pieces.join(''), 'data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\n')
      assert.ok(pieces.length >= 3, `${pieces.length} pieces`)
    })
  })

  it('carries 10 MiB up and down, with progress, and holds back for a slow reader', async () => {
    const [up, down, slow] = await page.evaluate(async size => {
      const steps: number[] = []
      let startedAt = performance.now()
      const sent = await entry.ask('/service/lab/sink', {
        method: 'POST',
        body: new Blob([new Uint8Array(size)]),
        onProgress: ({ sent, toSend }) => steps.push(sent / (toSend ?? Number.NaN))
      })
      const upMs = performance.now() - startedAt
      startedAt = performance.now()
      const received = await (await entry.mesh().fetch(`/service/lab/source?bytes=${size}`)).arrayBuffer()
      const downMs = performance.now() - startedAt
      const response = await entry.mesh().fetch(`/service/lab/source?bytes=${3 * size}`)
      const reader = response.body?.getReader()
      let read = 0
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
        if (read === 0) await new Promise(resolve => setTimeout(resolve, 500))
        read += next.value.byteLength
      }
      return [{ text: sent.text, steps, ms: upMs }, { bytes: received.byteLength, ms: downMs }, { read }] as const
    }, 10 * MIB)
    assert.equal(JSON.parse(up.text).bytes, 10 * MIB)
    assert.ok(up.steps.length > 20 && up.steps.at(-1) === 1, `${up.steps.length} steps`)
    assert.ok(up.steps.every((step, i) => step >= (up.steps[i - 1] ?? 0)))
    assert.equal(down.bytes, 10 * MIB)
    assert.equal(slow.read, 30 * MIB)
    const rate = (ms: number): string => (10_000 / ms).toFixed(1)
    console.log(`      ${rate(up.ms)} MiB/s up, ${rate(down.ms)} MiB/s down`)
  })

  it('adds little to what a service takes', async () => {
    const added = await page.evaluate(async () => {
      const body = 'x'.repeat(1024)
      const times: number[] = []
      for (let i = 0; i < 100; i++) {
        const { ms, headers } = await entry.ask('/service/lab/echo', { method: 'POST', body })
        times.push(ms - Number(/backend;dur=([\d.]+)/.exec(headers['server-timing'] ?? '')?.[1] ?? 0))
      }
      return times.sort((a, b) => a - b)[50]
    })
    console.log(`      ${added?.toFixed(1)} ms, median of 100`)
    assert.ok((added ?? Infinity) < 100)
  })

  it('gets a direct way soon after each fresh load', async () => {
    const times: number[] = []
    const answers: number[] = []
    for (let i = 0; i < 10; i++) {
      const fresh = await all.open()
      const { direct, answer } = await fresh.evaluate(async relay => {
        const joining = await entry.join([relay])
        const { ms } = await entry.ask('/service/lab/echo', { method: 'POST', body: 'x' })
        return { answer: joining + ms, direct: joining + ms + (await entry.reachedBy('direct', 1)) }
      }, mesh.relay.url)
      times.push(direct)
      answers.push(answer)
      await fresh.context().close()
    }
    const median = (values: number[]): string => (values.sort((a, b) => a - b)[5] ?? 0).toFixed(0)
    console.log(`      first answer ${median(answers)} ms, direct ${median(times)} ms after loading, medians of 10`)
  })

  it('serves frontends that know services by name', async () => {
    const [answer, refused] = await page.evaluate(async () => {
      const { sendServiceRequest } = entry.serviceClient({ mesh: entry.mesh() })
      const answer = await sendServiceRequest('lab', { text: 'hello' }, { timeout: 20_000, retries: 1 })
      const refused = await entry.failure(sendServiceRequest('no-such-service', {}))
      return [answer, refused]
    })
    assert.deepEqual(answer, { text: 'hello' })
    assert.deepEqual(refused?.name, 'ServiceRequestError')
  })

  it('leaves when it is told to', async () => {
    const leaving = await joinedPage()
    const [status, failed] = await leaving.evaluate(async () => {
      const mesh = entry.mesh()
      await mesh.stop()
      await mesh.stop()
      return [mesh.status, await entry.failure(mesh.fetch('/service/lab/counted'))] as const
    })
    assert.equal(status, 'stopped')
    assert.deepEqual([failed.name, failed.code], ['TypeError', 'Unreachable'])
    await leaving.context().close()
  })

  it('fails what is under way when the page leaves', async () => {
    const leaving = await joinedPage()
    const [asked, read] = await leaving.evaluate(async () => {
      const mesh = entry.mesh()
      const asked = entry.failure(mesh.fetch('/service/lab/slow?ms=20000', { method: 'POST', body: 'x' }))
      const read = entry.failure((await mesh.fetch('/service/lab/ticks?ms=20')).text())
      await mesh.stop()
      return Promise.all([asked, read])
    })
    assert.deepEqual([asked?.name, asked?.code, read?.name], ['TypeError', 'Unreachable', 'TypeError'])
    await leaving.context().close()
  })

  it('leaves nothing behind when it is told to give up while it joins', async () => {
    const fresh = await all.open({
      before: () => {
        const made: RTCPeerConnection[] = []
        Object.assign(globalThis, {
          made,
          RTCPeerConnection: class extends RTCPeerConnection {
            constructor(init?: RTCConfiguration) {
              super(init)
              made.push(this)
            }
          }
        })
      }
    })
    const { names, open } = await fresh.evaluate(async relay => {
      const { made } = globalThis as unknown as { made: RTCPeerConnection[] }
      const names: string[] = []
      for (let ms = 0; ms < 40; ms += 2) {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), ms)
        const joining = entry.joinMesh({ relays: [relay], signal: controller.signal })
        names.push(
          await joining
            .then(mesh => mesh.stop())
            .then(
              () => 'AbortError',
              err => err.name
            )
        )
      }
      await new Promise(resolve => setTimeout(resolve, 500))
      return { names, open: made.filter(({ signalingState }) => signalingState !== 'closed').length }
    }, mesh.relay.url)
    assert.deepEqual(new Set(names), new Set(['AbortError']))
    assert.equal(open, 0)
    await fresh.context().close()
  })

  it('ignores what a browser refuses of the servers that a relay names', async () => {
    const fresh = await all.open()
    await fresh.route('**/bootstrap', async route => {
      const response = await route.fetch()
      const ice_servers = [
        { urls: ['turn:127.0.0.1:9'] },
        { urls: ['stun:[', 'stun:127.0.0.1:9?transport=udp'] },
        { urls: 7 },
        { urls: 'stun:127.0.0.1:9' },
        null
      ]
      await route.fulfill({ response, json: { ...(await response.json()), ice_servers, peers_too: [1, null] } })
    })
    const servers = await fresh.evaluate(async relay => {
      await entry.join([relay])
      await entry.reachedBy('direct', 1)
      return entry.mesh().iceServers
    }, mesh.relay.url)
    assert.deepEqual(servers, [{ urls: ['stun:127.0.0.1:9'] }])
    await fresh.context().close()
  })

  it('says what is wrong with the relays that it is given', async () => {
    const failures = await page.evaluate(async () => [
      await entry.failure(entry.joinMesh({ relays: [] })),
      await entry.failure(entry.joinMesh({ relays: ['ftp://x'] })),
      await entry.failure(entry.joinMesh({ relays: [location.origin] })),
      await entry.failure(entry.joinMesh({ relays: ['http://127.0.0.1:1'], signal: AbortSignal.abort() }))
    ])
    assert.deepEqual(
      failures.map(({ name }) => name),
      ['TypeError', 'TypeError', 'TypeError', 'AbortError']
    )
    assert.match(failures[2]?.message ?? '', /no relay answers: .*\/bootstrap answers 404/)
  })
})
