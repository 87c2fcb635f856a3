/** The two messages of the handshake: each side's credential, or why the other's is refused. */
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { CREDENTIAL_FAULTS, CredentialError } from '../membership/index.ts'
import { Proof } from '../proto/gen/hedgerow.pb.ts'
import { MAX_PROOF } from './constants.ts'

const MAX_DETAIL = 300

export interface ProofStream {
  /** @throws {CredentialError} what the other side refuses us with, or Malformed */
  read(signal: AbortSignal): Promise<string>
  show(chain: string, signal: AbortSignal): Promise<void>
  refuse(error: CredentialError, signal: AbortSignal): Promise<void>
}

export function proofStream(stream: Stream): ProofStream {
  const messages = lpStream(stream, { maxDataLength: MAX_PROOF })
  const write = (proof: Proof, signal: AbortSignal): Promise<void> =>
    messages.write(Proof.encode(proof).finish(), { signal })
  return {
    show: (credential, signal) => write({ credential, fault: '', detail: '' }, signal),
    refuse: ({ fault, message }, signal) => write({ credential: '', fault, detail: message }, signal),
    async read(signal) {
      const bytes = await messages.read({ signal })
      const { credential, fault, detail } = decode(bytes.subarray())
      if (fault === '') return credential
      const known = CREDENTIAL_FAULTS.find(one => one === fault) ?? 'Malformed'
      throw new RefusedByPeer(known, detail.slice(0, MAX_DETAIL))
    }
  }
}

/** The other side doesn't believe us. */
export class RefusedByPeer extends CredentialError {}

function decode(bytes: Uint8Array): Proof {
  try {
    return Proof.decode(bytes)
  } catch (err) {
    throw new CredentialError('Malformed', "its proof can't be read", { cause: err })
  }
}
