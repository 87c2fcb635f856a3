import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../src/cli/run.ts'
import { localUrls } from '../src/source/local.ts'
import { capture } from './support/io.ts'

async function hedgerow(args: string[], env: Record<string, string> = {}) {
  const io = capture(env)
  const code = await run(['node', 'hedgerow', ...args], io, new AbortController().signal)
  return { code, out: io.out(), err: io.err() }
}

describe('the command line', () => {
  it('says how it is used, with examples, for every command', async () => {
    for (const command of [
      [],
      ['peers'],
      ['services'],
      ['inspect'],
      ['doctor'],
      ['ping'],
      ['call'],
      ['explain'],
      ['dht'],
      ['dht', 'providers'],
      ['dht', 'get'],
      ['dht', 'topology'],
      ['top'],
      ['key'],
      ['key', 'create'],
      ['key', 'list'],
      ['key', 'revoke']
    ]) {
      const { code, out } = await hedgerow([...command, '--help'])
      assert.equal(code, 0, command.join(' '))
      assert.match(out, /Examples:\n {2}(hedgerow|cat)/, command.join(' '))
      assert.match(out, /--json/, command.join(' '))
    }
  })

  it('ends with 2 on what it does not know, and writes nothing to stdout', async () => {
    for (const args of [
      ['no-such-command'],
      [],
      ['peers', '--no-such-option'],
      ['inspect'],
      ['ping', 'x', '-c', '0'],
      ['ping', 'x', '-i', 'soon'],
      ['top', '-n', '-1'],
      ['explain', 'a b'],
      ['call', 'ner'],
      ['call', 'ner', '-d', '@/no/such/file'],
      ['call', 'ner/x', '-X', 'N O'],
      ['peers', '--relay', 'x', '--daemon', 'y'],
      ['peers', '--daemon', 'ftp://127.0.0.1'],
      ['peers', '--relay', 'nonsense'],
      ['key', 'create'],
      ['key', 'create', 'x', '--rights', 'all'],
      ['key', 'create', 'x', '--expires', '2020-01-01'],
      ['key', 'create', 'x', '--rate', '0'],
      ['key', 'list', '--data-dir', '/no/such/folder']
    ]) {
      const { code, out, err } = await hedgerow(args)
      assert.equal(code, 2, `${args.join(' ')}: ${err}`)
      assert.equal(out, '', args.join(' '))
      assert.notEqual(err, '', args.join(' '))
    }
  })

  it('shows how to call a service that was given nothing', async () => {
    const { err } = await hedgerow(['call', 'ner'])
    assert.match(err, /hedgerow call ner -d/)
  })
})

describe('a daemon that cannot be asked', () => {
  let server: Server
  let url: string
  before(async () => {
    // Something else that listens on the port, as things do.
    server = createServer((_request, response) => response.end('<h1>It works!</h1>'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address() as AddressInfo
    url = `http://127.0.0.1:${address.port}`
  })
  after(() => {
    server.close()
  })

  it('ends with 3 where nothing listens', async () => {
    const { code, err } = await hedgerow(['peers', '--daemon', 'http://127.0.0.1:1'])
    assert.equal(code, 3)
    assert.match(err, /http:\/\/127\.0\.0\.1:1/)
  })

  it('ends with 3 where something else listens', async () => {
    assert.equal((await hedgerow(['peers', '--daemon', url])).code, 3)
    assert.equal((await hedgerow(['call', 'ner', '-d', '{}'], { HEDGEROW_DAEMON: url })).code, 3)
  })

  it('ends with 3 and says what was tried when none is named', async () => {
    const { code, err } = await hedgerow(['services'], { HEDGEROW_HTTP_PORT: new URL(url).port })
    assert.equal(code, 3)
    assert.ok(err.includes(`tried ${url}`), err)
    assert.ok(err.includes('--daemon'), err)
    assert.ok(err.includes(`${url} answers, but`), err)
  })
})

describe('a key that is made', () => {
  it('stands alone on stdout where that is a file or a pipe, so that it can be kept', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hedgerow-key-'))
    try {
      const { code, out, err } = await hedgerow(['key', 'create', 'monitoring', '--rights', 'read', '--data-dir', dir])
      assert.equal(code, 0, err)
      assert.match(out, /^hk_\w{12}_[\w-]+\n$/)
      assert.match(err, /monitoring.*does not expire.*this once/)
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})

describe('looking for the local daemon', () => {
  it('tries the default ports of a daemon, then those of `npm start`', () => {
    assert.deepEqual(
      localUrls({}),
      [8000, 8080, 8081, 8082, 8083].map(port => `http://127.0.0.1:${port}`)
    )
  })

  it('tries the port that is set, and those that a mesh takes after it', () => {
    assert.deepEqual(
      localUrls({ HEDGEROW_HTTP_PORT: '9000' }),
      [9000, 9001, 9002, 9003].map(port => `http://127.0.0.1:${port}`)
    )
    assert.equal(localUrls({ HEDGEROW_HTTP_PORT: 'x' }).length, 5)
    assert.equal(localUrls({ HEDGEROW_HTTP_PORT: '65535' }).length, 1)
  })
})
