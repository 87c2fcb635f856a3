import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { type Digest, InvalidReceipt, MAX_RECEIPT_LENGTH, openReceipt, type Receipt } from '@hedgerow/protocols/receipt'
import { InspectorError } from '../errors.ts'

export interface VerifyOptions {
  /** file with what was sent */
  request?: string
  /** file with what was answered */
  answer?: string
  /** peer id, or its end */
  worker?: string
}

/** One thing that a receipt can show. */
export interface Finding {
  about: 'signature' | 'worker' | 'request' | 'answer'
  /** undefined when there was nothing to compare it with */
  holds: boolean | undefined
  /** in words */
  says: string
}

export interface VerifyReport {
  /** undefined when it is none */
  receipt: Receipt | undefined
  findings: Finding[]
  good: boolean
}

/** Three parts in base64url. */
const JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * Checks a receipt against what is there to compare it with.
 *
 * @param given the receipt itself, a file that holds it, or `-` for stdin
 * @throws {InspectorError} Usage when a file can't be read
 */
export async function verifyReceipt(given: string, options: VerifyOptions, stdin: Readable): Promise<VerifyReport> {
  const jws = await receiptIn(given, stdin)
  let receipt: Receipt
  try {
    receipt = await openReceipt(jws)
  } catch (err) {
    if (!(err instanceof InvalidReceipt)) throw err
    const says = `this is no good receipt: ${err.message}`
    return { receipt: undefined, findings: [{ about: 'signature', holds: false, says }], good: false }
  }
  const findings: Finding[] = [
    { about: 'signature', holds: true, says: `${receipt.worker} signed it, and nothing in it was changed since` },
    workerFinding(receipt, options.worker),
    await bodyFinding('request', receipt.request, options.request),
    await bodyFinding('answer', receipt.answer, options.answer)
  ]
  return { receipt, findings, good: findings.every(({ holds }) => holds !== false) }
}

async function receiptIn(given: string, stdin: Readable): Promise<string> {
  if (JWS.test(given)) return given
  if (given === '-') return (await beginningOf(stdin)).trim()
  const text = await readFile(given, 'utf8').catch(err => {
    throw new InspectorError('Usage', `${given.slice(0, 200)} is neither a receipt nor a file that can be read`, [
      String(err.code ?? err.message)
    ])
  })
  return text.slice(0, MAX_RECEIPT_LENGTH + 1).trim()
}

async function beginningOf(stdin: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.length > MAX_RECEIPT_LENGTH) break
  }
  return text
}

function workerFinding({ worker }: Receipt, wanted: string | undefined): Finding {
  if (wanted == null) {
    const says = 'whether that is the worker that you asked was not compared: name it with --worker'
    return { about: 'worker', holds: undefined, says }
  }
  const end = wanted.replace(/^…/, '')
  return worker === wanted || (end.length >= 8 && worker.endsWith(end))
    ? { about: 'worker', holds: true, says: `that is the worker ${wanted}` }
    : { about: 'worker', holds: false, says: `it was signed by another worker than ${wanted}` }
}

async function bodyFinding(
  about: 'request' | 'answer',
  digest: Digest & { complete?: boolean },
  file: string | undefined
): Promise<Finding> {
  const what = about === 'request' ? 'what was sent' : 'what was answered'
  if (file == null) return { about, holds: undefined, says: `${what} was not compared: give it with --${about} FILE` }
  if (digest.complete === false) {
    const says = `${what} can't be compared: the service answered when it had read ${digest.bytes} bytes of it`
    return { about, holds: undefined, says }
  }
  const found = await digestOf(file, about)
  return found.sha256 === digest.sha256
    ? { about, holds: true, says: `${what} is ${file}: ${digest.bytes} bytes, SHA-256 ${digest.sha256}` }
    : {
        about,
        holds: false,
        says: `${what} is not ${file}: that has ${found.bytes} bytes with SHA-256 ${found.sha256}, the worker had ${digest.bytes} with ${digest.sha256}`
      }
}

async function digestOf(file: string, option: string): Promise<Digest> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of createReadStream(file)) {
      hash.update(chunk)
      bytes += chunk.length
    }
  } catch (err) {
    const why = err instanceof Error && 'code' in err ? String(err.code) : String(err)
    throw new InspectorError('Usage', `--${option}: ${file} can't be read (${why})`)
  }
  return { bytes, sha256: hash.digest('hex') }
}
