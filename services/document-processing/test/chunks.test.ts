import assert from 'node:assert/strict'
import fc from 'fast-check'
import { assemble, type PageText } from '../src/chunks.ts'

const page = (text: string, number = 1): PageText => ({ number, text })

describe('chunks', () => {
  it('end with a paragraph where they can, then a line, a sentence, a word', () => {
    const cases: [string, number, string[]][] = [
      ['One two.\n\nThree four. Five\nsix.', 20, ['One two.', 'Three four. Five', 'six.'].slice(0, 3)],
      ['One two three. Four five six.', 20, ['One two three.', 'Four five six.']],
      ['one two three four five', 12, ['one two', 'three four', 'five']],
      ['abcdefghijklmnop', 10, ['abcdefghij', 'klmnop']]
    ]
    for (const [text, size, expected] of cases) {
      assert.deepEqual(
        assemble([page(text)], size).chunks.map(({ text }) => text),
        expected
      )
    }
  })

  it('are on one page each, in the order of the pages', () => {
    const { text, chunks } = assemble([page('First page.', 1), page('', 2), page('Third page.', 3)], 500)
    assert.equal(text, 'First page.\n\nThird page.')
    assert.deepEqual(
      chunks.map(({ index, page, start, end }) => [index, page, start, end]),
      [
        [0, 1, 0, 11],
        [1, 3, 13, 24]
      ]
    )
  })

  it('hold every character but white space once, at the place they say, and are never too long', () => {
    const texts = fc.array(
      fc.string({ unit: fc.constantFrom('a', 'b.', ' ', '\n', '\n\n', '😀', '£', 'word '), maxLength: 400 }),
      {
        maxLength: 4
      }
    )
    fc.assert(
      fc.property(texts, fc.integer({ min: 20, max: 120 }), (pages, size) => {
        const { text, chunks } = assemble(
          pages.map((text, i) => page(text, i + 1)),
          size
        )
        let last = 0
        for (const chunk of chunks) {
          assert.equal(text.slice(chunk.start, chunk.end), chunk.text)
          assert.ok(chunk.text.length > 0 && chunk.text.length <= size)
          assert.ok(chunk.text.isWellFormed() && chunk.text.trim() === chunk.text)
          assert.equal(text.slice(last, chunk.start).trim(), '')
          last = chunk.end
        }
        assert.equal(text.slice(last).trim(), '')
      })
    )
  })

  it('take time in proportion to the text', () => {
    const { chunks } = assemble([page('word '.repeat(1_000_000))], 1_200)
    assert.ok(chunks.length > 4_000)
  }).timeout(5_000)
})
