/** What each service's forms are made of, asked once per service and version. */
import type { Mesh } from '@hedgerow/browser-node'
import { signal } from '@preact/signals'
import { type Operation, operationsOf, plainOperations } from '../logic/openapi.ts'
import { type Trouble, troubleOf, troubleOfError } from '../logic/problem.ts'

export type Schema = { operations: Operation[]; trouble?: undefined } | { trouble: Trouble }

/** by `service@version` */
export const schemas = signal<Record<string, Schema>>({})
const underWay = new Set<string>()

export async function loadSchema(mesh: Mesh, service: string, version: string, title: string): Promise<void> {
  const key = `${service}@${version}`
  const known = schemas.value[key]
  if ((known != null && known.trouble == null) || underWay.has(key)) return
  underWay.add(key)
  const schema = await ask(mesh, service, title)
  underWay.delete(key)
  schemas.value = { ...schemas.value, [key]: schema }
}

async function ask(mesh: Mesh, service: string, title: string): Promise<Schema> {
  try {
    const response = await mesh.fetch(`/service/${service}/openapi.json`)
    const text = await response.text()
    if (response.ok) return { operations: operationsOf(JSON.parse(text)) }
    if (response.status === 404 || response.status === 405) return { operations: plainOperations() }
    return {
      trouble: troubleOf({ status: response.status, retryAfter: response.headers.get('retry-after'), text }, title)
    }
  } catch (err) {
    return { trouble: troubleOfError(err, false) }
  }
}
