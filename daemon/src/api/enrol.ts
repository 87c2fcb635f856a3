import { MeshError } from '@hedgerow/protocols/errors'
import { MAX_TOKEN } from '@hedgerow/protocols/membership'
import { Rates } from '@hedgerow/protocols/rate'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Issuer, Membership } from '../membership/index.ts'
import { ENROL_RATE } from './constants.ts'

export interface EnrolComponents {
  issuer: Issuer
  membership: Membership
  /** the address that counts for how often somebody may ask */
  addressOf(request: FastifyRequest): string
}

/** Seconds after which asking again makes sense. */
const RETRY_AFTER = 2
/** Addresses whose last nonces are remembered, and how many of each. */
const MAX_ADDRESSES = 1000
const MAX_NONCES = 4

interface EnrolBody {
  peer_id: string
  public_key: string
  proof: string
  nonce?: string
  invite?: string
}

const BODY = {
  type: 'object',
  required: ['peer_id', 'public_key', 'proof'],
  properties: {
    peer_id: { type: 'string', maxLength: 80 },
    public_key: { type: 'string', maxLength: 64, description: 'base64url of the 32 bytes of its Ed25519 key' },
    proof: {
      type: 'string',
      maxLength: 128,
      description: "base64url of the key's signature over the UTF-8 bytes of the nonce"
    },
    nonce: { type: 'string', maxLength: 256, description: 'of GET /api/enrol; when left out, the last one given out' },
    invite: { type: 'string', maxLength: MAX_TOKEN }
  }
}

/** `GET` and `POST /api/enrol`: how somebody who has a key, and an invite or a name here, becomes a member. */
export function enrolRoutes({ issuer, membership, addressOf }: EnrolComponents): FastifyPluginAsync {
  const rates = new Rates({ ...ENROL_RATE, now: () => performance.now() })
  const given = new RecentNonces()
  const admit = (request: FastifyRequest): string => {
    const address = addressOf(request)
    if (rates.take(address)) return address
    throw new MeshError('RateLimited', 'too many enrolments from this address; wait a little', {
      retry_after: RETRY_AFTER
    })
  }
  return async app => {
    const tags = ['join']
    app.get(
      '/api/enrol',
      { schema: { tags, summary: 'A nonce to sign, good once and for five minutes' } },
      async (request, reply) => {
        const address = admit(request)
        const nonce = await issuer.nonce()
        given.add(address, nonce)
        return reply.header('cache-control', 'no-store').send({ nonce, mesh: membership.mesh })
      }
    )

    app.post<{ Body: EnrolBody }>(
      '/api/enrol',
      { schema: { tags, summary: 'Proves a key and gets a credential for it', body: BODY } },
      async (request, reply) => {
        const address = admit(request)
        const { peer_id: peerId, public_key: publicKey, proof, nonce, invite } = request.body
        const { credential, expiresAt } = await issuer.enrol(
          {
            peerId,
            publicKey,
            proof,
            nonce: nonce ?? given.last(address) ?? '',
            ...(invite == null ? {} : { invite })
          },
          request.caller
        )
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .send({
            credential,
            expires_at: new Date(expiresAt * 1000).toISOString(),
            mesh: membership.mesh,
            authority: membership.authority
          })
      }
    )
  }
}

/** For whoever leaves the nonce out of the answer to it: the last one that its address was given. */
class RecentNonces {
  readonly #byAddress = new Map<string, string[]>()

  add(address: string, nonce: string): void {
    const nonces = this.#byAddress.get(address) ?? []
    this.#byAddress.delete(address)
    this.#byAddress.set(address, [...nonces, nonce].slice(-MAX_NONCES))
    const [oldest] = this.#byAddress.keys()
    if (this.#byAddress.size > MAX_ADDRESSES && oldest != null) this.#byAddress.delete(oldest)
  }

  last(address: string): string | undefined {
    return this.#byAddress.get(address)?.pop()
  }
}
