import { createHash } from 'node:crypto'
import { MeshError } from '@hedgerow/protocols/errors'
import { InvocationError } from '@hedgerow/protocols/invocation'
import {
  CredentialError,
  checkKeyProof,
  createTrust,
  grant,
  meshIdOf,
  noncePrefix,
  peekToken,
  proveKey,
  readInvite,
  sealInvite,
  sealRevocation,
  signToken,
  type TokenType
} from '@hedgerow/protocols/membership'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { importJWK, SignJWT } from 'jose'
import { PageMembership } from '../../../browser-node/src/membership.ts'
import { ANONYMOUS } from '../../../daemon/src/access/caller.ts'
import { Identities } from '../../../daemon/src/access/identities.ts'
import { Proofs } from '../../../daemon/src/access/proofs.ts'
import { EnrolmentRefused, readAnswer } from '../../../daemon/src/membership/enrol.ts'
import { formatMembership, parseMembership } from '../../../daemon/src/membership/file.ts'
import { askRenewal } from '../../../daemon/src/peer/ask-renewal.ts'
import { proofStream } from '../../../protocols/src/gate/handshake.ts'
import { Proof } from '../../../protocols/src/proto/gen/hedgerow.pb.ts'
import type { Decoder } from '../index.ts'
import { answering, bytes, isPlainError, text } from './discovery.ts'

const keyOf = (seed: number): Promise<PrivateKey> => generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed))
const idOf = (key: PrivateKey): string => peerIdFromPrivateKey(key).toString()
const [authority, issuer, peer] = await Promise.all([keyOf(1), keyOf(2), keyOf(3)])
const mesh = await meshIdOf('fuzz', authority.publicKey.raw)
const now = Math.floor(Date.now() / 1000)
const nonce = `${noncePrefix(mesh)}nonce`
const rights = { mesh, services: ['*'], classes: ['internal'], ttl: 86_400 }
const issuerChain = await grant(
  { ...rights, subject: idOf(issuer), roles: ['relay', 'issuer'] },
  { privateKey: authority }
)
const chains = [
  await grant({ ...rights, subject: idOf(peer), roles: ['worker'] }, { privateKey: authority }),
  await grant({ ...rights, subject: idOf(peer), roles: ['client'] }, { privateKey: issuer, chain: issuerChain })
]
const invite = await sealInvite(
  {
    mesh,
    authority: authority.publicKey.raw,
    issuer: idOf(issuer),
    relays: ['https://relay.example.org'],
    roles: ['worker'],
    services: ['*'],
    classes: ['internal'],
    uses: 3,
    ttl: 86_400,
    expiresAt: now + 86_400
  },
  issuer
)
const revocations = [
  await sealRevocation({ mesh, subject: idOf(peer), expiresAt: now + 86_400 }, { privateKey: authority }),
  await sealRevocation(
    { mesh, subject: idOf(peer), expiresAt: now + 86_400 },
    { privateKey: issuer, chain: issuerChain }
  )
]
const trust = () => createTrust({ mesh, authority: authority.publicKey.raw })
const isCredentialError = (err: unknown): boolean => err instanceof CredentialError
const PARTS = ['.', '~', 'eyJhbGciOiJub25lIn0', 'eyJ9', '=']
const WORDS = ['"sub":', '"roles":[', '"services":["*"]', '"exp":', '"iss":"authority"', 'null', '1e99', '[]', '{}']

/** Claims that somebody has signed who may sign anything: what is in them is as foreign. */
const signed = async (type: TokenType, claims: Uint8Array): Promise<string> => {
  const said: unknown = JSON.parse(text(claims))
  return signToken(type, typeof said === 'object' && said != null && !Array.isArray(said) ? { ...said } : {}, authority)
}
const claimsOf = (token: string): string => JSON.stringify(peekToken(token.split('~')[0] ?? ''))
/** By the checks; by the parser of JSON; by jose, which signs no time that isn't one. */
const isRefused = (err: unknown): boolean =>
  isCredentialError(err) || err instanceof SyntaxError || (err instanceof TypeError && /claim/.test(err.message))

const jwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from(peer.publicKey.raw).toString('base64url'),
  d: Buffer.from(peer.raw.subarray(0, 32)).toString('base64url')
}
const dpop = await new SignJWT({
  htm: 'POST',
  htu: 'http://127.0.0.1:8080/service/ner',
  jti: 'one',
  iat: now,
  ath: createHash('sha256')
    .update(chains[0] ?? '')
    .digest('base64url')
})
  .setProtectedHeader({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x } })
  .sign(await importJWK(jwk, 'EdDSA'))

const grantAnswer = JSON.stringify({
  credential: chains[1],
  expires_at: new Date().toISOString(),
  mesh,
  authority: 'A'.repeat(43),
  nonce
})
const membershipFile = formatMembership({ mesh, authority: authority.publicKey.raw, credential: chains[0] ?? '' })

export const MEMBERSHIP_DECODERS: Decoder[] = [
  {
    name: 'credential',
    files: ['protocols/src/membership/jwt.ts', 'protocols/src/membership/grant.ts'],
    seeds: () => bytes(...chains, invite),
    words: PARTS,
    decode: one => trust().judge(text(one), idOf(peer)),
    refuses: isCredentialError
  },
  {
    name: 'credential-claims',
    files: ['protocols/src/membership/claims.ts'],
    seeds: () => bytes(...chains.map(claimsOf)),
    words: WORDS,
    decode: async one => trust().judge(await signed('credential', one), idOf(peer)),
    refuses: isRefused
  },
  {
    name: 'invite',
    files: ['protocols/src/membership/invite.ts'],
    seeds: () => bytes(invite),
    words: PARTS,
    decode: one => readInvite(text(one)),
    refuses: isCredentialError
  },
  {
    name: 'invite-claims',
    files: ['protocols/src/membership/invite.ts'],
    seeds: () => bytes(claimsOf(invite)),
    words: WORDS,
    decode: async one => readInvite(await signed('invite', one)),
    refuses: isRefused
  },
  {
    name: 'revocation',
    files: ['protocols/src/membership/revocation.ts', 'daemon/src/discovery/gossip.ts'],
    seeds: () => bytes(...revocations),
    words: PARTS,
    decode: one => trust().revoke(text(one)),
    refuses: isCredentialError
  },
  {
    name: 'membership-proof',
    files: ['protocols/src/gate/handshake.ts'],
    seeds: () => [
      Proof.encode({ credential: chains[0] ?? '', fault: '', detail: '' }).finish(),
      Proof.encode({ credential: '', fault: 'Expired', detail: 'it has expired' }).finish()
    ],
    decode: async one => {
      const stream = new OneWay()
      const message = proofStream(stream as never).read(new AbortController().signal)
      // with its length, and as it is
      if (one[0] !== 0) stream.receive(lengthOf(one))
      stream.receive(one)
      stream.end()
      return message
    },
    // of the stream: its messages are cut, too long, or have no length
    refuses: err => isCredentialError(err) || (err instanceof Error && /^(Unexpected|Invalid|Stream)/.test(err.name))
  },
  {
    name: 'enrolment-proof',
    files: ['protocols/src/membership/enrolment.ts'],
    seeds: async () => bytes(JSON.stringify(await proveKey(peer, mesh, nonce))),
    decode: async one => {
      const said: unknown = JSON.parse(text(one))
      const part = (name: string): string => String(Object(said)[name])
      return checkKeyProof({ peerId: part('peerId'), publicKey: part('publicKey'), proof: part('proof') }, mesh, nonce)
    },
    refuses: err => isRefused(err) || err instanceof TypeError
  },
  {
    name: 'enrolment-answer',
    files: ['daemon/src/membership/enrol.ts'],
    seeds: () => bytes(grantAnswer, '{"code":"InviteUsedUp","detail":"used","status":409}'),
    decode: one =>
      readAnswer(new URL('https://relay.example.org'), (one[0] ?? 0) % 2 === 0 ? 201 : 409, Buffer.from(one)),
    refuses: err => err instanceof EnrolmentRefused || isPlainError(err)
  },
  {
    name: 'enrolment-in-page',
    files: ['browser-node/src/membership.ts'],
    seeds: () => bytes(grantAnswer),
    decode: async one => {
      const bootstrap = {
        url: 'https://r.example',
        mesh,
        authority: authority.publicKey.raw,
        peers: [],
        iceServers: []
      }
      const membership = await PageMembership.of(bootstrap, peer, { relays: ['https://r.example'] })
      const { fetch } = globalThis
      globalThis.fetch = async () => new Response(Buffer.from(one))
      try {
        await membership.start(undefined)
        return membership.trust.own
      } finally {
        globalThis.fetch = fetch
        membership.stop()
      }
    },
    // of `fetch`, with what it means as its cause
    refuses: err => err instanceof TypeError && err.cause instanceof MeshError
  },
  {
    name: 'renewal-answer',
    files: ['daemon/src/peer/ask-renewal.ts'],
    seeds: () => bytes(JSON.stringify({ credential: chains[1] })),
    decode: one => {
      const invoker = { ...answering(one), route: () => ({ path: 'direct', transport: 'tcp' }) as const }
      return askRenewal({ node: undefined as never, view: undefined as never, invoker }, idOf(issuer), chains[1] ?? '')
    },
    // too much of it, besides
    refuses: err => isPlainError(err) || err instanceof InvocationError
  },
  {
    name: 'membership-file',
    files: ['daemon/src/membership/file.ts'],
    seeds: () => bytes(membershipFile),
    decode: one => parseMembership(text(one)),
    refuses: isPlainError
  },
  {
    name: 'authorization',
    files: ['daemon/src/access/identities.ts', 'daemon/src/access/dpop.ts'],
    seeds: () =>
      bytes(`DPoP ${chains[0]}\n${dpop}`, `Bearer ${chains[0]}\n`, 'Bearer hk_0123456789ab_secret\n', 'Basic eA==\n'),
    words: ['DPoP ', 'Bearer ', '\n', ...PARTS],
    decode: async one => {
      const [authorization = '', proof] = text(one).split('\n')
      const identities = new Identities({
        keys: { check: () => 'unknown' },
        oidc: undefined,
        dpop: {
          verifyCredential: async token => {
            const { peerId, credential, expiresAt } = await trust()
              .judge(token, idOf(peer))
              .catch(() => {
                throw new MeshError('Unauthorized', 'this credential is not good')
              })
            return { peerId, roles: credential.roles, services: credential.services, expiresAt, isGood: () => true }
          },
          proofs: new Proofs({ now: Date.now }),
          isOwnHost: () => true,
          now: Date.now
        }
      })
      const message = { method: 'POST', url: '/service/ner', headers: { authorization, dpop: proof } }
      return identities.of(message as never, ANONYMOUS)
    },
    refuses: err => err instanceof MeshError
  }
]

/** What is read of a libp2p stream; a real pair of them is kept in memory for seconds after its end. */
class OneWay extends EventTarget {
  readonly log = Object.assign(() => {}, { error() {}, trace() {}, newScope: () => this.log })
  remoteWriteStatus = 'writable'
  readStatus = 'readable'
  status = 'open'
  readBufferLength = 0

  receive(data: Uint8Array): void {
    if (data.byteLength > 0) this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  end(): void {
    this.remoteWriteStatus = 'closed'
    this.dispatchEvent(new Event('remoteCloseWrite'))
  }

  send(): boolean {
    return true
  }

  push(): void {}
  pause(): void {}
  resume(): void {}
  async closeRead(): Promise<void> {}
  abort(): void {}
}

/** As protobuf writes numbers. */
function lengthOf({ byteLength }: Uint8Array): Uint8Array {
  const out: number[] = []
  let left = byteLength
  for (; left > 127; left >>>= 7) out.push((left & 127) | 128)
  return Uint8Array.from([...out, left])
}
