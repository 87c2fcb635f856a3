import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ServiceApp } from '@hedgerow/service-kit'
import { keepsFacts } from '../src/rewrite.ts'
import { convert, type Reply, shipped, startApp } from './support.ts'

const NOTES =
  'Client: Ann Lee\nProblem: cl fell behind w/ Klarna after 3 Feb, owes £50 pm.\nDebts:\n- Klarna: £600\nOptions:\n- DMP: suitable, £50 a month\nDecision: DMP'

/** A stand-in for a mesh with a language model: answers chat completions as it is told. */
class StandIn {
  answer: (paragraph: string) => string = paragraph => paragraph
  status = 200
  hang = false
  raw: string | undefined
  readonly asked: { url: string; context: unknown; paragraph: string }[] = []
  readonly #server: Server
  readonly #open = new Set<ServerResponse>()

  constructor() {
    this.#server = createServer((request, response) => this.#reply(request, response))
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const paragraph: string = JSON.parse(text).messages[1].content
    this.asked.push({ url: request.url ?? '', context: request.headers['hedgerow-context'], paragraph })
    this.#open.add(response)
    response.once('close', () => this.#open.delete(response))
    if (this.hang) return
    response.writeHead(this.status, { 'content-type': 'application/json' })
    response.end(
      this.raw ?? JSON.stringify({ choices: [{ message: { role: 'assistant', content: this.answer(paragraph) } }] })
    )
  }

  get waiting(): number {
    return this.#open.size
  }

  async start(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

describe('rephrasing by a language model', () => {
  let app: ServiceApp
  let standIn: StandIn

  before(async () => {
    app = await startApp()
  })
  after(() => app.close())

  beforeEach(async () => {
    standIn = new StandIn()
    process.env.HEDGEROW_MESH_URL = await standIn.start()
  })
  afterEach(async () => {
    delete process.env.HEDGEROW_MESH_URL
    await standIn.stop()
  })

  async function rephrased(headers: Record<string, string> = {}): Promise<Reply> {
    const reply = await app.inject({
      method: 'POST',
      url: '/convert',
      payload: { notes: NOTES, rephrase: true },
      headers: { 'hedgerow-context': 'opaque', ...headers }
    })
    assert.equal(reply.statusCode, 200, reply.body)
    return reply.json()
  }
  const codes = ({ warnings }: Reply): string[] => warnings.map(({ code }) => code)

  it('puts a faithful rewrite in place of the quotation, through the mesh and in its context', async () => {
    standIn.answer = () => 'You fell behind with Klarna after 3 Feb, and owe £50 pm.'
    const { letter, warnings } = await rephrased()
    assert.ok(letter.includes('You fell behind with Klarna after 3 Feb, and owe £50 pm.'))
    assert.ok(!letter.includes('cl fell behind w/'))
    assert.ok(standIn.asked.length >= 2)
    for (const { url, context } of standIn.asked) {
      assert.equal(url, '/service/llm-inference/v1/chat/completions')
      assert.equal(context, 'opaque')
    }
    // the same answer is no rewrite of the other paragraphs
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['WordingUnconfirmed', 'RephraseRefused']
    )
  })

  for (const [what, rewrite] of [
    ['an amount', 'You fell behind with Klarna after 3 Feb, and owe £60 pm.'],
    ['a period', 'You fell behind with Klarna after 3 Feb, and owe £50 pw.'],
    ['a date', 'You fell behind with Klarna after 4 Feb, and owe £50 pm.'],
    ['a name', 'You fell behind with Clearpay after 3 Feb, and owe £50 pm.'],
    ['the sense, by adding a negation', 'You did not fall behind with Klarna after 3 Feb, and owe £50 pm.'],
    ['what is there, by leaving the amount out', 'You fell behind with Klarna after 3 Feb.'],
    ['what is there, by adding a name', 'Tom, you fell behind with Klarna after 3 Feb, and owe £50 pm.'],
    ['the layout', 'You fell behind with Klarna after 3 Feb, and owe £50 pm. [ADVISER TO COMPLETE: x]']
  ] as const) {
    it(`refuses a rewrite that changes ${what}`, async () => {
      standIn.answer = () => rewrite
      const reply = await rephrased()
      assert.ok(codes(reply).includes('RephraseRefused'))
      assert.ok(reply.letter.includes('cl fell behind w/ Klarna after 3 Feb, owes £50 pm.'))
      assert.ok(!reply.letter.includes(rewrite))
    })
  }

  it('makes the letter without a model, and says so', async () => {
    const wanted = (await convert(app, { notes: NOTES })).letter
    standIn.status = 503
    standIn.raw = '{"code":"NoWorker"}'
    const unavailable = await rephrased()
    assert.ok(codes(unavailable).includes('RephraseUnavailable'))
    assert.equal(unavailable.letter, wanted)
    // a request that came past the daemon has no context to call with
    const { letter, warnings } = await convert(app, { notes: NOTES, rephrase: true })
    assert.equal(letter, wanted)
    assert.ok(warnings.some(({ code }) => code === 'RephraseUnavailable'))
  })

  it('takes no answer that isn’t a chat completion', async () => {
    for (const raw of ['{}', '[]', 'nonsense', '{"choices":[{"message":{"content":null}}]}']) {
      standIn.raw = raw
      assert.ok(codes(await rephrased()).includes('RephraseUnavailable'), raw)
    }
  })

  it('doesn’t wait for a model past the caller’s deadline', async () => {
    standIn.hang = true
    const reply = await rephrased({ 'hedgerow-timeout': '3' })
    assert.ok(codes(reply).includes('RephraseUnavailable'))
    assert.ok(reply.letter.includes('cl fell behind w/'))
  })

  it('stops asking when the client leaves', async () => {
    standIn.hang = true
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const leave = new AbortController()
    const asked = fetch(`${url}/convert`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'hedgerow-context': 'opaque' },
      body: JSON.stringify({ notes: NOTES, rephrase: true }),
      signal: leave.signal
    })
    while (standIn.waiting === 0) await new Promise(resolve => setImmediate(resolve))
    leave.abort()
    await assert.rejects(asked)
    while (standIn.waiting > 0) await new Promise(resolve => setImmediate(resolve))
    assert.equal(standIn.waiting, 0)
  })

  it('asks for nothing where it isn’t wanted', async () => {
    await app.inject({
      method: 'POST',
      url: '/convert',
      payload: { notes: NOTES },
      headers: { 'hedgerow-context': 'opaque' }
    })
    assert.equal(standIn.asked.length, 0)
  })
})

describe('whether a rewrite keeps the facts', () => {
  it('allows other words, and an option by its other name', async () => {
    const { lexicon } = await shipped()
    const starters = ['you', 'your', 'the', 'we']
    assert.ok(
      keepsFacts('cl wants DRO, no assets', 'You want a debt relief order and have no assets.', lexicon, starters)
    )
    assert.ok(!keepsFacts('cl wants DRO', 'You want a debt management plan.', lexicon, starters))
    assert.ok(!keepsFacts('owes two firms', 'You owe three firms.', lexicon, starters))
    assert.ok(!keepsFacts('owes Very £5', '', lexicon, starters))
    assert.ok(!keepsFacts('owes Very £5', `You owe Very £5 ${'and so on '.repeat(60)}`, lexicon, starters))
  })
})
