import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { ConfigError, loadConfig } from '../src/config.ts'
import { CONFIG_PATH, convert } from './support.ts'

describe('the config of a letter', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hedgerow-coa-'))
    await cp(dirname(CONFIG_PATH), folder, { recursive: true })
    path = join(folder, 'letter-2026-11.yaml')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function edit(name: string, from: string | RegExp, to: string): Promise<void> {
    const before = await readFile(join(folder, name), 'utf8')
    const after = before.replace(from, to)
    assert.notEqual(after, before)
    await writeFile(join(folder, name), after)
  }

  it('is a charity’s own: who it is, its wording, its template', async () => {
    await edit('letter-2026-11.yaml', 'confirmed_by: null', 'confirmed_by: Trustees of the Vale Advice Trust')
    await edit('letter-2026-11.yaml', '  name: null', '  name: Vale Advice Trust')
    await edit('letter-2026-11.yaml', 'You make one affordable payment a month', 'One payment a month is made by you')
    await edit('letter.eta', '## What you decided', '## Your decision')
    const app = await buildApp(path)
    try {
      const { letter, warnings, config } = await convert(app, {
        notes: 'Debts:\n- Very: £100\nOptions: DMP\nDecision: DMP'
      })
      for (const part of ['Vale Advice Trust', 'One payment a month is made by you', 'Your decision'])
        assert.ok(letter.includes(part), part)
      assert.deepEqual(warnings, [])
      assert.equal(config.confirmed, true)
    } finally {
      await app.close()
    }
  })

  it('may leave a section out of the template: its amounts are then listed', async () => {
    await edit('letter.eta', /## Your income and spending[\s\S]*?(?=## Urgent)/, '')
    const app = await buildApp(path)
    try {
      const { letter } = await convert(app, { notes: 'Income:\nWages: £1,234.56 a month' })
      assert.match(letter.split('not placed above')[1] ?? '', /£1,234\.56: “Wages: £1,234\.56 a month”/)
    } finally {
      await app.close()
    }
  })

  it('may not lose amounts: then there is no letter', async () => {
    await edit('letter.eta', /## Your income and spending[\s\S]*?(?=## Urgent)/, '')
    await edit('letter.eta', /<% if \(it\.leftovers\.length > 0\)[\s\S]*?(?=## Signed)/, '')
    const app = await buildApp(path)
    try {
      const reply = await app.inject({
        method: 'POST',
        url: '/convert',
        payload: { notes: 'Income:\nWages: £1,234.56 a month' }
      })
      assert.equal(reply.statusCode, 500)
      assert.equal(reply.json().code, 'LetterCheckFailed')
      assert.deepEqual(reply.json().violations, { AmountLost: 1 })
      const next = await app.inject({ method: 'POST', url: '/convert', payload: { notes: 'Nothing owed.' } })
      assert.equal(next.statusCode, 200)
    } finally {
      await app.close()
    }
  })

  for (const [what, name, from, to, named] of [
    [
      'a field that is no field',
      'letter-2026-11.yaml',
      'basis: month',
      'basis: month\nbasics: x',
      /letter-2026-11\.yaml: .*basics|letter-2026-11\.yaml/
    ],
    ['a wrong type', 'letter-2026-11.yaml', 'factor: 52', 'factor: many', /periods\/week\/factor/],
    ['an unknown period', 'letter-2026-11.yaml', 'basis: month', 'basis: moon', /basis/],
    ['broken YAML', 'words-2026-11.yaml', 'topics:', 'topics: [', /words-2026-11\.yaml/],
    ['a kind of debt that isn’t there', 'words-2026-11.yaml', 'debt: council_tax', 'debt: window_tax', /window_tax/],
    ['words that aren’t there', 'letter-2026-11.yaml', 'words: words-2026-11.yaml', 'words: gone.yaml', /gone\.yaml/]
  ] as const) {
    it(`is refused with ${what}, by file and field`, async () => {
      await edit(name, from, to)
      await assert.rejects(loadConfig(path), err => err instanceof ConfigError && named.test(err.message))
    })
  }

  it('is refused with a template that can’t be read', async () => {
    await writeFile(join(folder, 'letter.eta'), '<% if (')
    await assert.rejects(buildApp(path), ConfigError)
  })

  it('has a date, and names no charity until one confirms it', async () => {
    const { letter } = await loadConfig(CONFIG_PATH)
    assert.match(letter.as_of, /^\d{4}-\d\d-\d\d$/)
    assert.equal(letter.confirmed_by, null)
    assert.equal(letter.organisation.name, null)
  })
})
