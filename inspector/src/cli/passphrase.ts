import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { InspectorError } from '../errors.ts'
import type { Io } from './io.ts'

/** Characters. The key's own protection is 2048 rounds of PBKDF2, so a short one is soon guessed. */
const MIN_LENGTH = 10

const VARIABLE = 'HEDGEROW_PASSPHRASE'

/** For a key that is there: from the environment, or typed once without an echo. @throws {InspectorError} Usage */
export async function askPassphrase(io: Io, signal: AbortSignal): Promise<string> {
  return io.env[VARIABLE] || typed(io, "passphrase of the authority's key: ", signal)
}

/** For a new key: long enough, and typed twice. @throws {InspectorError} Usage */
export async function askNewPassphrase(io: Io, signal: AbortSignal): Promise<string> {
  const given = io.env[VARIABLE] || undefined
  const passphrase = given ?? (await typed(io, "a passphrase for the authority's key: ", signal))
  if (passphrase.length < MIN_LENGTH)
    throw new InspectorError('Usage', `a passphrase must have at least ${MIN_LENGTH} characters; a few words are best`)
  if (given == null && (await typed(io, 'once more: ', signal)) !== passphrase)
    throw new InspectorError('Usage', 'the two were not the same')
  return passphrase
}

async function typed(io: Io, prompt: string, signal: AbortSignal): Promise<string> {
  if (io.stdin.isTTY !== true)
    throw new InspectorError('Usage', `a passphrase is needed, and there is no terminal to type it at`, [
      `set ${VARIABLE}, or run it at a terminal`
    ])
  io.stderr.write(prompt)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: io.stdin, output: silent, terminal: true, historySize: 0 })
  const interrupted = new AbortController()
  lines.once('SIGINT', () => interrupted.abort())
  lines.once('close', () => interrupted.abort())
  try {
    return await lines.question('', { signal: AbortSignal.any([signal, interrupted.signal]) })
  } catch (err) {
    signal.throwIfAborted()
    if (interrupted.signal.aborted) throw new InspectorError('Usage', 'no passphrase was given')
    throw err
  } finally {
    lines.close()
    io.stderr.write('\n')
  }
}
