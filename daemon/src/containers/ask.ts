import { readdir } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { MAX_ANSWER } from './constants.ts'
import { describeEngine } from './describe.ts'
import type { EngineInfo } from './index.ts'
import { type EnginePlace, showPlace } from './places.ts'

/** An engine, or what stands in the way of one: the status that something answers with, or the code of an error. */
export type EngineAnswer = { place: string } & ({ engine: EngineInfo } | { code: string | number })

/**
 * Asks whoever listens at a place what it is.
 *
 * @param known what it was when it was asked last: then it is asked only whether it is there
 */
export async function askEngine(place: EnginePlace, signal: AbortSignal, known?: EngineInfo): Promise<EngineAnswer> {
  const shown = showPlace(place)
  const agent = new Agent('path' in place ? { connect: { socketPath: place.path } } : {})
  const origin = 'path' in place ? 'http://engine' : place.url
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const { statusCode, body } = await request(origin + path, { dispatcher: agent, signal })
    return { status: statusCode, text: await readText(body) }
  }
  try {
    const ping = await get('/_ping')
    if (ping.status !== 200) return { place: shown, code: ping.status }
    if (known != null) return { place: shown, engine: known }
    const [version, info, devices] = [await get('/version'), await get('/info'), await cdiDevices(place)]
    const engine = describeEngine(parse(version.text), parse(info.text), devices)
    return engine == null ? { place: shown, code: 'NO_ENGINE' } : { place: shown, engine }
  } catch (err) {
    if (signal.aborted) return { place: shown, code: 'ETIMEDOUT' }
    return { place: shown, code: err instanceof Error && 'code' in err ? String(err.code) : 'UNKNOWN' }
  } finally {
    await agent.destroy()
  }
}

async function readText(body: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue
    size += chunk.byteLength
    if (size > MAX_ANSWER) throw Object.assign(new Error('the answer is too large'), { code: 'TOO_LARGE' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Podman doesn't tell which devices it can hand on; their descriptions lie where any engine of this machine reads them. */
async function cdiDevices(place: EnginePlace): Promise<string[]> {
  if (!('path' in place)) return []
  const found = await Promise.all(['/etc/cdi', '/var/run/cdi'].map(folder => readdir(folder).catch(() => [])))
  return found.flat().slice(0, 100)
}
