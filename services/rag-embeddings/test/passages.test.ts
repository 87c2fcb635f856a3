import assert from 'node:assert/strict'
import fc from 'fast-check'
import { passagesOf } from '../src/passages.ts'

const SENTENCE = 'The council may ask the court for an order when nothing has been paid. '

describe('cutting a text into passages', () => {
  it('keeps a short text whole', () => {
    assert.deepEqual(passagesOf('A short text. It has two sentences.'), [
      { heading: '', text: 'A short text. It has two sentences.' }
    ])
  })

  it('keeps sections apart and says what they stand under', () => {
    const passages = passagesOf(
      '# Manual\n\nIntro.\n\n## Rent\n\nPay it.\n\n### Arrears\n\nAsk.\n\n## Water\n\nSocial tariff.'
    )
    assert.deepEqual(passages, [
      { heading: 'Manual', text: 'Intro.' },
      { heading: 'Manual > Rent', text: 'Pay it.' },
      { heading: 'Manual > Rent > Arrears', text: 'Ask.' },
      { heading: 'Manual > Water', text: 'Social tariff.' }
    ])
  })

  it('ends passages at sentences, and begins the next with the last one', () => {
    const passages = passagesOf(SENTENCE.repeat(40))
    assert.ok(passages.length > 2)
    for (const { text } of passages) {
      assert.ok(text.length <= 1200)
      assert.ok(text.startsWith('The council') && text.endsWith('paid.'))
    }
    const sentences = passages.reduce((sum, { text }) => sum + text.split('The council').length - 1, 0)
    assert.equal(sentences, 40 + passages.length - 1)
  })

  it('takes no abbreviation, amount or form number for the end of a sentence', () => {
    const text = 'Mr. J. Smith owes £1,250.50 to Acme Ltd. under s. 87 of the Act, see form No. 4. '
    for (const passage of passagesOf(text.repeat(30)))
      assert.match(passage.text, /^Mr\. J\. Smith owes[\s\S]*No\. 4\.$/)
  })

  it('loses no word of any text', () => {
    const wordArbitrary = fc.oneof(
      fc.stringMatching(/^[a-zA-Z]{1,12}$/),
      fc.constantFrom('.', '!', '\n', '\n\n', '- x', '# h', '£5.', 'Mr.', '"Q."', '😀')
    )
    fc.assert(
      fc.property(fc.array(wordArbitrary, { maxLength: 400 }), words => {
        const text = words.join(' ')
        const found = passagesOf(text)
          .flatMap(passage => [passage.text, passage.heading])
          .join(' ')
        for (const word of words) if (/^[a-zA-Z]+$/.test(word)) assert.ok(found.includes(word), word)
      })
    )
  })

  it('cuts a text without any end to it, and never a character in half', () => {
    const passages = passagesOf('😀'.repeat(5000))
    assert.ok(passages.length > 5)
    for (const { text } of passages) assert.ok(text.isWellFormed())
    assert.equal(passages.map(({ text }) => text).join('').length, 10_000)
  })

  it('keeps a text that is nothing but headings', () => {
    assert.deepEqual(passagesOf('# Alone'), [{ heading: '', text: 'Alone' }])
  })

  it('takes a time that grows with the text alone, whatever is in it', () => {
    for (const piece of ['. ', '.)', '\n', '# ', 'A. ', '- ', '| ', `.${')'.repeat(50)}`, '```\n']) {
      const began = performance.now()
      passagesOf(piece.repeat(Math.floor(1_000_000 / piece.length)))
      assert.ok(performance.now() - began < 3000, JSON.stringify(piece))
    }
  })
})
