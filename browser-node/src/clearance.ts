import type { ServiceContract } from '@hedgerow/protocols/contract'
import { maySee, OPEN_CLASSES, stricter } from '@hedgerow/protocols/data-class'
import { HEADERS } from '@hedgerow/protocols/ids'
import { LLM_SERVICE, targetOf } from '@hedgerow/protocols/ingress'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { Trust } from '@hedgerow/protocols/membership'
import type { View } from '@hedgerow/protocols/view'
import { fromString } from 'uint8arrays/from-string'
import { boundedText } from './bootstrap.ts'
import { BOOTSTRAP_TIMEOUT, MAX_SNAPSHOT } from './constants.ts'
import { field } from './json.ts'
import type { MeshRequest } from './request.ts'
import { hiddenFromRelays, UNKNOWN_CLASS } from './response.ts'

export interface ClearanceComponents {
  view: View
  ledger: Ledger
  trust: Trust
}

/**
 * Lets a request pass over a relay's HTTP bridge only when the relay may see it. How confidential it is, its service's
 * advert says; a page that has nobody else to hear adverts from asks the relay for them: they carry their authors'
 * signatures. In a closed mesh, what nobody signed for passes only with a class in its own header.
 *
 * @throws {TypeError} with a cause of code `ClassNotAllowed`
 */
export async function clear(
  request: MeshRequest,
  relays: readonly string[],
  components: ClearanceComponents
): Promise<void> {
  const { view, trust } = components
  const service = serviceOf(request.path)
  const asked = request.headers.get(HEADERS.dataClass) ?? undefined
  const contractOf = (): ServiceContract | undefined =>
    service == null ? undefined : view.contract(view.resolve(service) ?? service)
  for (const relay of relays) {
    if (service == null || contractOf() != null) break
    await learn(relay, request, components).catch(() => {})
  }
  const contract = contractOf()
  const mayBePublic = contract != null || service == null || trust.authority == null
  const hidden = stricter(contract?.dataClass, asked) ?? (mayBePublic ? 'public' : UNKNOWN_CLASS)
  if (!maySee(OPEN_CLASSES, hidden)) throw hiddenFromRelays(hidden)
}

/** undefined when it is none that a relay would dispatch */
function serviceOf(path: string): string | undefined {
  if (path.startsWith('/v1/')) return LLM_SERVICE
  try {
    return targetOf(path).service
  } catch {
    return undefined
  }
}

async function learn(relay: string, { headers, signal }: MeshRequest, components: ClearanceComponents): Promise<void> {
  const authorization = headers.get('authorization')
  const target = new URL('/adverts', relay)
  const response = await fetch(target, {
    headers: authorization == null ? {} : { authorization },
    signal: AbortSignal.any([signal, AbortSignal.timeout(BOOTSTRAP_TIMEOUT)])
  })
  await learnFrom(await boundedText(response, target, MAX_SNAPSHOT), components)
}

/** @param text what a relay answers, whoever it is @throws {Error} when it is no snapshot */
export async function learnFrom(
  text: string,
  { ledger, trust }: Pick<ClearanceComponents, 'ledger' | 'trust'>
): Promise<void> {
  const said: unknown = JSON.parse(text)
  for (const token of texts(field(said, 'revocations'))) await trust.revoke(token).catch(() => {})
  for (const advert of texts(field(said, 'adverts'))) await ledger.learn(fromString(advert, 'base64'))
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter(one => typeof one === 'string') : [])
