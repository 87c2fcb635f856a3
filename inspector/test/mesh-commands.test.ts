import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAuthority } from '@hedgerow/daemon/authority'
import { loadIdentity } from '@hedgerow/daemon/identity'
import { parseMembership } from '@hedgerow/daemon/membership'
import {
  createTrust,
  grant,
  inviteSubject,
  openInvite,
  peerIdOfKey,
  readInvite,
  sealRevocation,
  verifyChain
} from '@hedgerow/protocols/membership'
import jsqr from 'jsqr'
import { run } from '../src/cli/run.ts'
import { qrCode } from '../src/render/qr.ts'
import { type Captured, capture } from './support/io.ts'

const PASSPHRASE = 'correct horse battery staple'
const DAY = 86_400
const now = (): number => Date.now() / 1000

async function hedgerow(args: string[], env: Record<string, string> = { HEDGEROW_PASSPHRASE: PASSPHRASE }) {
  const io = capture(env)
  const code = await run(['node', 'hedgerow', 'mesh', ...args], io, new AbortController().signal)
  return { code, out: io.out(), err: io.err() }
}

async function json(args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await hedgerow([...args, '--json'])
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

describe('hedgerow mesh', () => {
  let dir: string
  let offline: string
  let peer: string
  let relayDir: string
  let relay: string

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-mesh-'))
    offline = join(dir, 'charity')
    const { code, err } = await hedgerow(['init', 'charity', '--dir', offline])
    assert.equal(code, 0, err)
    peer = peerIdOfKey((await loadIdentity(await mkdtemp(join(dir, 'peer-')))).publicKey.raw)
    relayDir = await mkdtemp(join(dir, 'relay-'))
    relay = peerIdOfKey((await loadIdentity(relayDir)).publicKey.raw)
    const args = ['sign', relay, '--dir', offline, '--role', 'relay,issuer', '--out', join(relayDir, 'membership.json')]
    assert.equal((await hedgerow(args)).code, 0)
  })
  after(() => rm(dir, { recursive: true }))

  it('says how each command is used, with examples', async () => {
    for (const command of [[], ['init'], ['sign'], ['invite'], ['revoke'], ['send'], ['show']]) {
      const { code, out } = await hedgerow([...command, '--help'])
      assert.equal(code, 0, command.join(' '))
      assert.match(out, /Examples:\n {2}\w+/, command.join(' '))
      assert.match(out, /--json/, command.join(' '))
    }
  })

  describe('init', () => {
    it('makes an encrypted key that nobody else can read, and a mesh file that says nothing of it', async () => {
      const pem = await readFile(join(offline, 'authority.pem'), 'utf8')
      assert.match(pem, /BEGIN ENCRYPTED PRIVATE KEY/)
      assert.equal((await stat(join(offline, 'authority.pem'))).mode & 0o777, 0o600)
      const mesh = JSON.parse(await readFile(join(offline, 'mesh.json'), 'utf8'))
      assert.deepEqual(Object.keys(mesh), ['name', 'mesh', 'authority', 'created_at'])
      assert.match(mesh.mesh, /^charity-[a-z2-7]{12}$/)
      const { privateKey } = await openAuthority(offline, { passphrase: async () => PASSPHRASE })
      assert.equal(Buffer.from(privateKey.publicKey.raw).toString('base64url'), mesh.authority)
    })

    it('writes over nothing', async () => {
      const before = await readFile(join(offline, 'authority.pem'), 'utf8')
      const { code, err } = await hedgerow(['init', 'charity', '--dir', offline])
      assert.equal(code, 2)
      assert.match(err, /already/)
      assert.equal(await readFile(join(offline, 'authority.pem'), 'utf8'), before)
    })

    it('wants a passphrase that is not soon guessed, or to be told that there is none', async () => {
      const at = join(dir, 'weak')
      assert.equal((await hedgerow(['init', 'weak', '--dir', at], { HEDGEROW_PASSPHRASE: 'short' })).code, 2)
      assert.equal((await hedgerow(['init', 'weak', '--dir', at], {})).code, 2)
      const { code, err } = await hedgerow(['init', 'weak', '--dir', at, '--no-passphrase'], {})
      assert.equal(code, 0)
      assert.match(err, /not encrypted/)
      assert.match(await readFile(join(at, 'authority.pem'), 'utf8'), /BEGIN PRIVATE KEY/)
    })

    it('refuses what is no name', async () => {
      for (const name of ['Charity', 'a b', '-x', 'x'.repeat(60)])
        assert.equal((await hedgerow(['init', '--dir', join(dir, 'none'), '--', name])).code, 2, name)
    })

    it('asks for the passphrase twice at a terminal, and shows none of it', async () => {
      const typed = async (name: string, lines: string[]): Promise<{ code: number; io: Captured }> => {
        const io = capture()
        io.stdin.isTTY = true
        // As somebody types: each line when it is asked for.
        let asked = 0
        io.stderr.on('data', () => {
          const line = lines[asked]
          if (!/: $/.test(io.err()) || line == null) return
          asked++
          setImmediate(() => (io.stdin as unknown as NodeJS.WritableStream).write(`${line}\r`))
        })
        const args = ['node', 'hedgerow', 'mesh', 'init', name, '--dir', join(dir, name)]
        return { code: await run(args, io, new AbortController().signal), io }
      }
      const { code, io } = await typed('typed', [PASSPHRASE, PASSPHRASE])
      assert.equal(code, 0, io.err())
      assert.ok(!`${io.out()}${io.err()}`.includes(PASSPHRASE))
      await openAuthority(join(dir, 'typed'), { passphrase: async () => PASSPHRASE })
      const different = await typed('mistyped', [PASSPHRASE, `${PASSPHRASE}!`])
      assert.equal(different.code, 2)
      assert.match(different.io.err(), /not the same/)
      await assert.rejects(stat(join(dir, 'mistyped')))
    })
  })

  describe('sign', () => {
    it('writes a membership that the peer can use, with what was asked for', async () => {
      const args = ['sign', peer, '--dir', offline, '--role', 'worker', '--services', 'vision-ocr,ner-extraction']
      const { code, out, err } = await hedgerow([...args, '--classes', 'internal,confidential', '--days', '10'])
      assert.equal(code, 0, err)
      const { mesh, authority, credential } = await parseMembership(out)
      const { credential: said } = await verifyChain(credential, { mesh, authority, now: now() })
      assert.equal(said.subject, peer)
      assert.deepEqual(said.roles, ['worker'])
      assert.deepEqual(said.services, ['vision-ocr', 'ner-extraction'])
      assert.deepEqual(said.classes, ['internal', 'confidential'])
      assert.ok(Math.abs(said.expiresAt - now() - 10 * DAY) < 60)
      assert.equal(said.renewal, undefined)
    })

    it('ends with 2 on what it does not understand and 1 with another passphrase, and signs nothing', async () => {
      const sign = ['sign', peer, '--dir', offline]
      for (const args of [
        sign,
        [...sign, '--role', 'king'],
        [...sign, '--role', 'worker'],
        [...sign, '--role', 'worker', '--services', 'No Name'],
        [...sign, '--role', 'client', '--days', '401'],
        ['sign', 'nobody', '--dir', offline, '--role', 'client'],
        ['sign', peer, '--dir', dir, '--role', 'client']
      ]) {
        const { code, out, err } = await hedgerow(args)
        assert.equal(code, 2, `${args.join(' ')}: ${err}`)
        assert.equal(out, '')
      }
      const { code, out } = await hedgerow([...sign, '--role', 'client'], {
        HEDGEROW_PASSPHRASE: 'another one, not it'
      })
      assert.equal(code, 1)
      assert.equal(out, '')
    })
  })

  describe('invite', () => {
    const at = ['--relay', 'https://mesh.example.org']

    it('prints the string alone to a script, signed by the authority for one issuer', async () => {
      const args = ['invite', '--dir', offline, '--issuer', relay, ...at, '--services', '*', '--uses', '3']
      const { code, out, err } = await hedgerow([...args, '--expires', '12h', '--lasts', '2d'])
      assert.equal(code, 0, err)
      assert.equal(err, '')
      const read = await readInvite(out.trim())
      assert.equal(read.uses, 3)
      assert.equal(read.ttl, 2 * DAY)
      assert.deepEqual(read.relays, ['https://mesh.example.org'])
      assert.deepEqual(read.classes, ['public', 'internal'])
      assert.ok(Math.abs(read.expiresAt - now() - DAY / 2) < 60)
      const { mesh, authority } = read
      await openInvite(out.trim(), { mesh, authority, issuer: relay, now: now() })
    })

    it('is signed by a relay with its own key, which names itself', async () => {
      const { invite, issuer, relays } = await json([
        'invite',
        '--data-dir',
        relayDir,
        ...at,
        '--relay',
        'http://other.example.org:8080',
        '--role',
        'client'
      ])
      assert.equal(issuer, relay)
      assert.deepEqual(relays, ['https://mesh.example.org', 'http://other.example.org:8080'])
      const { mesh, authority } = await readInvite(String(invite))
      await openInvite(String(invite), { mesh, authority, issuer: relay, now: now() })
    })

    it('asks the first relay who it is, when nobody says', async () => {
      const { mesh } = JSON.parse(await readFile(join(offline, 'mesh.json'), 'utf8'))
      let answered = mesh
      const peers = [`/ip4/127.0.0.1/tcp/1/ws/p2p/${relay}`, `/ip4/127.0.0.1/tcp/2/ws/p2p/${peer}`]
      const server: Server = createServer((_request, response) =>
        response.end(JSON.stringify({ mesh: answered, peers }))
      )
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      try {
        const url = `http://127.0.0.1:${port}`
        const { issuer } = await json(['invite', '--dir', offline, '--relay', url, '--role', 'client'])
        assert.equal(issuer, relay)
        answered = 'another'
        assert.equal((await hedgerow(['invite', '--dir', offline, '--relay', url, '--role', 'client'])).code, 1)
      } finally {
        server.close()
        server.closeAllConnections()
      }
      assert.equal(
        (await hedgerow(['invite', '--dir', offline, '--relay', 'http://127.0.0.1:1', '--role', 'client'])).code,
        3
      )
    })

    it('warns of a relay that is reached in clear, and promises nothing that no issuer may grant', async () => {
      const by = ['invite', '--data-dir', relayDir]
      const { code, err } = await hedgerow([...by, '--relay', 'http://mesh.example.org', '--role', 'client'])
      assert.equal(code, 0)
      assert.match(err, /not https/)
      for (const args of [
        [...by, ...at, '--role', 'relay'],
        [...by, ...at, '--role', 'client', '--classes', 'confidential']
      ])
        assert.equal((await hedgerow(args)).code, 1, args.join(' '))
      for (const args of [
        [...by, '--role', 'client'],
        [...by, ...at],
        [...by, ...at, '--role', 'client', '--expires', 'soon'],
        [...by, ...at, '--role', 'client', '--dir', offline],
        [...by, ...at, '--role', 'client', '--issuer', peer]
      ])
        assert.equal((await hedgerow(args)).code, 2, args.join(' '))
    })

    it('draws a QR code that reads as the invite, where the terminal is wide enough', async () => {
      const { invite } = await json(['invite', '--data-dir', relayDir, ...at, '--role', 'client'])
      const code = (await qrCode(String(invite), 200)) ?? assert.fail('no code')
      assert.equal(decode(code), invite)
      assert.equal(await qrCode(String(invite), 40), undefined)
    })
  })

  describe('revoke', () => {
    it('takes back what the authority, or the relay, gave, as peers believe it', async () => {
      const { mesh, authority } = JSON.parse(await readFile(join(offline, 'mesh.json'), 'utf8'))
      for (const by of [
        ['--dir', offline],
        ['--data-dir', relayDir]
      ]) {
        const out = join(dir, 'revoked.txt')
        assert.equal((await hedgerow(['revoke', peer, ...by, '--out', out])).code, 0)
        const trust = createTrust({ mesh, authority: Buffer.from(authority, 'base64url') })
        assert.equal(await trust.revoke((await readFile(out, 'utf8')).trim()), true)
        assert.ok(trust.revokedUntil(peer, relay))
      }
    })

    it('takes back an invite', async () => {
      const { mesh, authority } = JSON.parse(await readFile(join(offline, 'mesh.json'), 'utf8'))
      const { invite } = await json([
        'invite',
        '--data-dir',
        relayDir,
        '--relay',
        'https://x.example',
        '--role',
        'client'
      ])
      const out = join(dir, 'invite-revoked.txt')
      const { code, out: said } = await hedgerow(['revoke', String(invite), '--dir', offline, '--out', out])
      assert.equal(code, 0)
      const { id } = await readInvite(String(invite))
      assert.match(said, new RegExp(`the invite ${id} to ${mesh} is taken back`))
      const trust = createTrust({ mesh, authority: Buffer.from(authority, 'base64url') })
      assert.equal(await trust.revoke((await readFile(out, 'utf8')).trim()), true)
      assert.ok(trust.revokedUntil(inviteSubject(id), relay))
      assert.equal((await hedgerow(['revoke', 'a.b.c', '--dir', offline, '--out', out])).code, 1)
    })

    it('ends with 2 when nobody would hear of it, with 3 when nobody answers', async () => {
      assert.equal((await hedgerow(['revoke', peer, '--dir', offline])).code, 2)
      assert.equal((await hedgerow(['revoke', peer, '--dir', offline, '--daemon', 'http://127.0.0.1:1'])).code, 3)
      assert.equal((await hedgerow(['send', join(dir, 'none'), '--daemon', 'http://127.0.0.1:1'])).code, 2)
    })
  })

  describe('show', () => {
    const shown = async (args: string[]) => {
      const { code, out, err } = await hedgerow(['show', ...args, '--json'])
      assert.equal(err, '')
      return { code, ...JSON.parse(out) }
    }

    it('explains each kind of thing, and says whether it holds', async () => {
      const { mesh } = JSON.parse(await readFile(join(offline, 'mesh.json'), 'utf8'))
      const membership = join(relayDir, 'membership.json')
      const { credential } = JSON.parse(await readFile(membership, 'utf8'))
      const { invite } = await json([
        'invite',
        '--data-dir',
        relayDir,
        '--relay',
        'https://x.example',
        '--role',
        'client'
      ])
      const revoked = join(dir, 'shown.txt')
      await hedgerow(['revoke', peer, '--dir', offline, '--out', revoked])
      const meshFile = join(offline, 'mesh.json')
      for (const [args, kind, good] of [
        [[meshFile], 'mesh', true],
        [[membership], 'membership', true],
        [[credential], 'credential', null],
        [[credential, '--mesh-file', meshFile], 'credential', true],
        [[String(invite)], 'invite', true],
        [[revoked], 'revocation', null],
        [[revoked, '--mesh-file', meshFile], 'revocation', true]
      ] as const) {
        const report = await shown([...args])
        assert.deepEqual([report.kind, report.mesh, report.good, report.code], [kind, mesh, good, 0], args.join(' '))
        const { out } = await hedgerow(['show', ...args])
        assert.match(out, new RegExp(mesh))
      }
    })

    it('ends with 1 on what does not hold, and says why', async () => {
      const { mesh, authority, privateKey } = await openAuthority(offline, { passphrase: async () => PASSPHRASE })
      const by = { privateKey }
      const rights = { mesh, subject: peer, roles: ['worker' as const], services: ['*'], classes: [], ttl: DAY }
      const file = (credential: string) =>
        JSON.stringify({ mesh, authority: Buffer.from(authority).toString('base64url'), credential })
      const old = await grant({ ...rights, now: now() - 10 * DAY }, by)
      assert.equal((await shown([file(old)])).fault, 'Expired')
      assert.equal((await shown([file(await grant({ ...rights, now: now() + DAY }, by))])).fault, 'NotYetValid')
      const forged = await grant(rights, { privateKey: await loadIdentity(relayDir) })
      const report = await shown([file(forged)])
      assert.deepEqual([report.fault, report.code], ['BadSignature', 1])
      const { out } = await hedgerow(['show', file(forged)])
      assert.match(out, /NOT good/)
    })

    it('ends with 2 on what is nothing of a mesh, and with 1 on a file that is broken', async () => {
      assert.equal((await hedgerow(['show', 'nonsense'])).code, 2)
      const broken = join(dir, 'broken.json')
      await writeFile(broken, '{"mesh": 1}')
      assert.equal((await hedgerow(['show', broken])).code, 1)
      const { privateKey } = await openAuthority(offline, { passphrase: async () => PASSPHRASE })
      const token = await sealRevocation(
        { mesh: 'another', subject: peer, expiresAt: Math.floor(now()) + DAY },
        { privateKey }
      )
      assert.equal((await hedgerow(['show', token, '--mesh-file', join(offline, 'mesh.json')])).code, 1)
    })
  })
})

/** Reads half blocks as a camera would: dark on light. */
function decode(code: string): string | undefined {
  const scale = 3
  const lines = code.split('\n').map(line => [...line])
  const columns = Math.max(...lines.map(line => line.length))
  const width = columns * scale
  const height = lines.length * 2 * scale
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = Math.floor(y / scale)
      const block = lines[row >> 1]?.[Math.floor(x / scale)] ?? ' '
      // `qrcode` paints dark modules as blocks for a dark-on-light reader.
      const dark = block === '█' || block === (row % 2 === 0 ? '▀' : '▄')
      if (dark) pixels.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return jsqr.default(pixels, width, height)?.data
}
