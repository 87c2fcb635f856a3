import { join } from 'node:path'
import type { Trust } from '@hedgerow/protocols/membership'
import type { Logger } from 'pino'
import { LineFile, readLines } from './lines.ts'

const FILE = 'revocations.jsonl'
/** Lines beyond those in force, after which the file is written anew: an issuer may take back the same again and again. */
const MAX_STALE = 1000

/** Teaches a trust what was revoked before, and keeps what it learns from now on. @returns stops, when all is written */
export async function keepRevocations(dataDir: string, trust: Trust, log: Logger): Promise<() => Promise<void>> {
  const path = join(dataDir, FILE)
  const file = new LineFile(path)
  const lines = await readLines(path)
  // What has ended since, or is signed by somebody who no longer may, is left behind.
  for (const line of lines) if (typeof line === 'string') await trust.revoke(line).catch(() => false)
  let written = lines.length
  const rewrite = async (): Promise<void> => {
    const tokens = trust.revocations()
    written = tokens.length
    await file.replace(tokens)
  }
  const failed = (err: unknown): void => log.error({ err }, 'a revocation could not be kept; it holds until a restart')
  if (trust.revocations().length < lines.length) await rewrite().catch(failed)
  const unlisten = trust.addListener((_revocation, token) => {
    written++
    const compact = written > trust.revocations().length + MAX_STALE
    ;(compact ? rewrite() : file.append(token)).catch(failed)
  })
  return async () => {
    unlisten()
    await file.close()
  }
}
