import { type Called, callService, type PreparedCall } from '../commands/call.ts'
import { explainRequest } from '../commands/explain.ts'
import { unknownService } from '../commands/services.ts'
import { InspectorError } from '../errors.ts'
import { describeCall, describeProblem } from '../render/call.ts'
import { renderExplain } from '../render/explain.ts'
import { styleFor } from '../render/style.ts'
import type { MeshSource } from '../source/index.ts'
import { type Problem, SHAPES } from '../source/shapes.ts'
import { type Io, toJson, write, writeLine } from './io.ts'

export interface CallOutput {
  json: boolean
  /** shows the decision too */
  explain: boolean
}

/** Bytes of an error that are read to say it in words. */
const MAX_PROBLEM = 64 * 1024
/** Bytes of an answer that `--json` holds in memory. */
const MAX_JSON_BODY = 64 * 1024 * 1024

/** @returns the exit code: 0 for a 2xx, 1 for anything else */
export async function runCall(
  source: MeshSource,
  prepared: PreparedCall,
  output: CallOutput,
  io: Io,
  signal: AbortSignal
): Promise<number> {
  const called = await callService(source, prepared, signal)
  const { status } = called.answer
  const ok = status >= 200 && status < 300
  // Asked while the answer streams: who is behind the id.
  const name = nameOf(source, called.worker, signal)
  if (output.json) {
    const body = await collect(called, MAX_JSON_BODY)
    const totalMs = called.elapsed()
    await writeLine(
      io.stdout,
      toJson(await jsonReport(source, called, { body, totalMs, workerName: await name }, output, signal), 2)
    )
    return ok ? 0 : 1
  }
  const problem = ok ? undefined : await readProblem(called)
  if (problem?.value.code === 'UnknownService') throw await unknownService(source, called.service, signal)
  const style = styleFor(io.stderr, io.env)
  try {
    if (problem == null) await stream(called, io)
  } finally {
    // Also when the answer breaks off: whoever looks into that wants the request id.
    const totalMs = called.elapsed()
    if (!signal.aborted) await writeLine(io.stderr, describeCall(called, totalMs, await name, style))
  }
  if (problem != null) await writeLine(io.stderr, describeProblem(problem.value, style))
  if (output.explain && called.requestId != null) {
    const report = await explainRequest(source, called.requestId, signal)
    await writeLine(io.stderr, `\n${renderExplain(report, style)}`)
  }
  return ok ? 0 : 1
}

/** The body as it comes, byte for byte. */
async function stream({ answer }: Called, io: Io): Promise<void> {
  const isTerminal = io.stdout.isTTY === true
  let last: number | undefined
  for await (const chunk of answer.body) {
    if (isTerminal && last == null && chunk.includes(0)) {
      throw new InspectorError('Failed', `the answer is no text (${typeOf(answer.headers)})`, [
        'send it to a file: add > FILE to the command'
      ])
    }
    await write(io.stdout, chunk)
    last = chunk.at(-1) ?? last
  }
  if (isTerminal && last != null && last !== 0x0a) await write(io.stdout, '\n')
}

async function jsonReport(
  source: MeshSource,
  called: Called,
  { body, totalMs, workerName }: { body: Buffer; totalMs: number; workerName: string | null },
  { explain }: CallOutput,
  signal: AbortSignal
): Promise<object> {
  const { answer, requestId, worker, path, transport, attempts, firstByteMs } = called
  return {
    status: answer.status,
    request_id: requestId,
    worker: worker == null ? null : { name: workerName, peer_id: worker },
    path,
    transport,
    attempts,
    first_byte_ms: round(firstByteMs),
    total_ms: round(totalMs),
    headers: answer.headers,
    ...bodyFields(body, typeOf(answer.headers)),
    ...(explain && requestId != null ? { explanation: await explainRequest(source, requestId, signal) } : {})
  }
}

/** JSON as JSON, text as text, the rest in base64. */
function bodyFields(body: Buffer, type: string): { body: unknown } | { body_base64: string } {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return { body_base64: body.toString('base64') }
  }
  if (/[/+]json\b/.test(type)) {
    try {
      return { body: JSON.parse(text) }
    } catch {
      // It says JSON and isn't: text, then.
    }
  }
  return { body: text }
}

/** The answer's problem document, if it is one. */
async function readProblem(called: Called): Promise<{ value: Problem } | undefined> {
  if (!typeOf(called.answer.headers).startsWith('application/problem+json')) return undefined
  const body = await collect(called, MAX_PROBLEM)
  try {
    const value: unknown = JSON.parse(body.toString())
    if (SHAPES.problem.Check(value)) return { value }
  } catch {
    // Not what it says it is; the status alone must do.
  }
  return { value: { status: called.answer.status } }
}

async function collect({ answer }: Called, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.byteLength
    if (size > limit)
      throw new InspectorError(
        'Failed',
        `the answer is larger than ${limit} bytes; without --json it streams to stdout`
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function nameOf(source: MeshSource, peerId: string | null, signal: AbortSignal): Promise<string | null> {
  if (peerId == null) return null
  const peers = await source.names(signal).catch(() => [])
  return peers.find(({ peer_id }) => peer_id === peerId)?.name ?? null
}

function typeOf(headers: Record<string, string | string[]>): string {
  const type = headers['content-type']
  return (Array.isArray(type) ? type[0] : type) ?? 'of no type'
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
