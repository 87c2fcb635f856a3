import { MeshError } from '../errors/index.ts'
import type { CandidateSource } from '../view/index.ts'

export const LLM_SERVICE = 'llm-inference'
const MODEL = 'model/'

export type OpenaiView = Pick<CandidateSource, 'candidates'>

/** Which workers have which model loaded: model to peer ids. */
export function modelsIn(view: OpenaiView): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { peerId, offer } of view.candidates(LLM_SERVICE)) {
    for (const resource of offer.resources) {
      if (!resource.startsWith(MODEL)) continue
      const id = resource.slice(MODEL.length)
      found.set(id, [...(found.get(id) ?? []), peerId])
    }
  }
  return found
}

/**
 * What a worker must hold for a request of OpenAI's API; undefined when its body names no model.
 *
 * @throws {MeshError} when workers are there, but none has the model; when the body is no JSON object
 */
export function modelResource(view: OpenaiView, body: string): string | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    throw new MeshError('Malformed', 'the body is not valid JSON')
  }
  if (typeof parsed !== 'object' || parsed == null || Array.isArray(parsed))
    throw new MeshError('Malformed', 'the body is not a JSON object')
  if (!('model' in parsed) || parsed.model == null) return undefined
  if (typeof parsed.model !== 'string') throw new MeshError('Malformed', 'model is not a string')
  const known = modelsIn(view)
  if (known.size > 0 && !known.has(parsed.model)) throw unknownModel(parsed.model, known)
  return MODEL + parsed.model
}

export function unknownModel(name: string, known: ReadonlyMap<string, string[]>): MeshError {
  const others = known.size === 0 ? 'no model is loaded' : `there are: ${[...known.keys()].slice(0, 20).join(', ')}`
  const detail = `no worker has the model ${JSON.stringify(name.slice(0, 100))} loaded; ${others}`
  return new MeshError('UnknownModel', detail, { service: LLM_SERVICE })
}
