import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatManifestError, loadManifests } from '../src/manifest/index.ts'
import { manifestJsonSchema } from '../src/manifest/json-schema.ts'

const MINIMAL = `
name: echo
version: 1.0.0
title: Says what it hears
backend: { url: http://127.0.0.1:9999 }
operations: [{ method: GET, path: /echo }]
`

describe('loading manifests', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hedgerow-manifest-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const named = (name: string): string => MINIMAL.replace('name: echo', `name: ${name}`)

  it('finds a service, a folder of services, and loose files', async () => {
    write('services/one/hedgerow.service.yaml', named('one'))
    write('services/two/hedgerow.service.yaml', named('two'))
    write('services/two/docker-compose.yaml', 'services: {}')
    write('services/three.yaml', named('three'))
    write('services/node_modules/hedgerow.service.yaml', named('four'))
    write('services/README.md', '')
    const { manifests, errors } = await loadManifests([join(folder, 'services'), join(folder, 'services', 'one')])
    assert.deepEqual(errors, [])
    assert.deepEqual(manifests.map(({ contract }) => contract.name).sort(), ['one', 'three', 'two'])
    assert.equal(manifests.find(({ contract }) => contract.name === 'two')?.folder, join(folder, 'services', 'two'))
  })

  it('loads the good ones beside a broken one', async () => {
    write('mixed/a.yaml', named('a'))
    write('mixed/b.yaml', 'name: [')
    write('mixed/c.yaml', named('c').replace('GET', 'get'))
    write('mixed/d.yaml', named('d'))
    const { manifests, errors } = await loadManifests([join(folder, 'mixed')])
    assert.deepEqual(
      manifests.map(({ contract }) => contract.name),
      ['a', 'd']
    )
    assert.deepEqual(
      [...new Set(errors.map(({ file }) => file))].sort(),
      ['b.yaml', 'c.yaml'].map(name => join(folder, 'mixed', name))
    )
  })

  it('refuses a name or an alias that is taken, and names both files', async () => {
    write('twice/a.yaml', named('a').replace('version', 'aliases: [x]\nversion'))
    write('twice/b.yaml', named('a'))
    write('twice/c.yaml', named('x'))
    write('twice/d.yaml', named('d').replace('version', 'aliases: [a]\nversion'))
    const { manifests, errors } = await loadManifests([join(folder, 'twice')])
    assert.equal(manifests.length, 1)
    assert.deepEqual(
      errors.map(({ field }) => field),
      ['name', 'name', 'aliases']
    )
    for (const { message } of errors) assert.ok(message.includes(join(folder, 'twice', 'a.yaml')))
  })

  it('says what it cannot read', async () => {
    write('huge.yaml', `${MINIMAL}#${'x'.repeat(70_000)}`)
    const { manifests, errors } = await loadManifests([join(folder, 'nowhere'), join(folder, 'huge.yaml')])
    assert.deepEqual(manifests, [])
    assert.deepEqual(
      errors.map(({ file }) => file),
      [join(folder, 'nowhere'), join(folder, 'huge.yaml')]
    )
  })

  it('formats an error as compilers do', () => {
    assert.equal(
      formatManifestError({ file: 'a.yaml', line: 3, field: 'health.path', message: 'is missing' }),
      'a.yaml:3: health.path: is missing'
    )
    assert.equal(formatManifestError({ file: 'a.yaml', message: 'does not exist' }), 'a.yaml: does not exist')
  })
})

describe('docs/manifest.schema.json', () => {
  it('is what the daemon checks by (npm run schema -w daemon writes it)', () => {
    const written: unknown = JSON.parse(
      readFileSync(new URL('../../docs/manifest.schema.json', import.meta.url), 'utf8')
    )
    assert.deepEqual(written, JSON.parse(manifestJsonSchema()))
  })
})
