import assert from 'node:assert/strict'
import { entitiesOf, marked } from '../src/logic/entities.ts'
import { letterTree, type SourceNode } from '../src/logic/letter.ts'
import { linesOf, pageSizeOf } from '../src/logic/ocr.ts'
import { chatPieces, pieceOf } from '../src/logic/sse.ts'

describe('entities in their text', () => {
  const text = 'Ann Lee owes £5 to X'
  const entity = (start: number, end: number) => ({ type: 'PERSON', text: text.slice(start, end), start, end })

  it('are cut where they begin and end, and nothing of the text is lost', () => {
    const stretches = marked(text, entitiesOf({ entities: [entity(13, 15), entity(0, 7)] }))
    assert.deepEqual(
      stretches.map(({ text: words, entity: one }) => [words, one != null]),
      [
        ['Ann Lee', true],
        [' owes ', false],
        ['£5', true],
        [' to X', false]
      ]
    )
    assert.equal(stretches.map(({ text: words }) => words).join(''), text)
  })

  it('that overlap or lie outside are left unmarked', () => {
    const odd = entitiesOf({
      entities: [entity(0, 7), entity(4, 10), entity(15, 99), { start: 3 }, null, entity(5, 5)]
    })
    const stretches = marked(text, odd)
    assert.equal(stretches.filter(({ entity: one }) => one != null).length, 1)
    assert.equal(stretches.map(({ text: words }) => words).join(''), text)
  })
})

describe('a letter', () => {
  const element = (nodeName: string, ...childNodes: SourceNode[]): SourceNode => ({
    nodeType: 1,
    nodeName,
    nodeValue: null,
    childNodes
  })
  const words = (nodeValue: string): SourceNode => ({ nodeType: 3, nodeName: '#text', nodeValue, childNodes: [] })

  it('keeps what letters are made of, without attributes', () => {
    assert.deepEqual(letterTree(element('P', words('a'), element('MARK', words('b')))), [
      { tag: 'p', children: ['a', { tag: 'mark', children: ['b'] }] }
    ])
  })

  it('loses scripts with all that is in them, and of strange elements all but the text', () => {
    const tree = letterTree(
      element('DIV', element('SCRIPT', words('alert(1)')), element('STYLE', words('x')), element('A', words('link')))
    )
    assert.deepEqual(tree, ['link'])
    assert.deepEqual(letterTree(element('svg', element('P', words('x')))), [])
    assert.deepEqual(letterTree(element('IMG')), [])
  })

  it('ends where it is nested beyond reason', () => {
    let deep = words('bottom')
    for (let i = 0; i < 10_000; i++) deep = element('UL', deep)
    assert.doesNotMatch(JSON.stringify(letterTree(deep)), /bottom/)
  })
})

describe('lines of a scan', () => {
  it('are those of the page, with their places', () => {
    const bbox = { x0: 10, y0: 20, x1: 110, y1: 40 }
    const answer = {
      blocks: [
        { page: 1, lines: [{ text: 'a', bbox }, { text: 'no place' }] },
        { page: 2, lines: [{ text: 'b', bbox }] }
      ],
      pages: [{ page: 1, width: 100, height: 200 }]
    }
    assert.deepEqual(linesOf(answer, 1), [{ text: 'a', x: 10, y: 20, width: 100, height: 20 }])
    assert.deepEqual(pageSizeOf(answer, 1), { width: 100, height: 200 })
    assert.equal(pageSizeOf(answer, 2), undefined)
    assert.deepEqual(linesOf('nonsense', 1), [])
  })
})

describe('a streamed chat', () => {
  const read = async (...parts: string[]): Promise<string[]> => {
    const pieces: string[] = []
    const bytes = parts.map(part => new TextEncoder().encode(part))
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const next = bytes.shift()
        if (next == null) controller.close()
        else controller.enqueue(next)
      }
    })
    for await (const { text } of chatPieces(body)) pieces.push(text)
    return pieces
  }
  const event = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`

  it('is read piece by piece, wherever the network cuts it', async () => {
    const whole = [event('Grüße, '), event('you'), 'data: [DONE]\n\n', event('never')].join('')
    assert.deepEqual(await read(whole), ['Grüße, ', 'you'])
    assert.deepEqual(await read(whole.slice(0, 25), whole.slice(25, 58), whole.slice(58)), ['Grüße, ', 'you'])
  })

  it('passes over what it does not know', async () => {
    assert.deepEqual(await read(': comment\n\n', 'data: {"choices":[]}\n\n', 'data: not json\n\n', event('x')), ['x'])
  })

  it('fails with the words of a server that breaks off', () => {
    assert.throws(() => pieceOf('{"error": {"message": "out of memory"}}'), /out of memory/)
  })
})
