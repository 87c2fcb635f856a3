import { Type } from 'typebox'
import { Value } from 'typebox/value'

/** Another instance of this service, as the mesh advertises it now. */
export interface Instance {
  peer: string
  /** complete copies that it holds */
  collections: ReadonlySet<string>
}

export interface InstancesInit {
  /** `HEDGEROW_MESH_URL` */
  url: string
  /** `HEDGEROW_SERVICE_CONTEXT` */
  context: string
  self: string
  onError(err: unknown): void
}

const Answer = Type.Object({
  instances: Type.Array(Type.Object({ peer_id: Type.String(), resources: Type.Array(Type.String()) }))
})

const SERVICE = 'rag-embeddings'
const TIMEOUT = 2000
export const RESOURCE_PREFIX = 'collection/'

/** The other instances, asked of the daemon on this machine; it answers from its view, with no traffic. */
export class Instances {
  readonly #init: InstancesInit
  #known: Instance[] = []
  #asking: Promise<void> | undefined

  constructor(init: InstancesInit) {
    this.#init = init
  }

  /** As the daemon knows them now; when it can't be asked, as it knew them last. */
  async others(): Promise<Instance[]> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    await this.#asking
    return this.#known
  }

  async #ask(): Promise<void> {
    try {
      const response = await fetch(`${this.#init.url}/instances/${SERVICE}`, {
        headers: { 'hedgerow-context': this.#init.context },
        signal: AbortSignal.timeout(TIMEOUT)
      })
      if (!response.ok) throw new Error(`the daemon answered ${response.status}`)
      const { instances } = Value.Parse(Answer, await response.json())
      this.#known = instances
        .filter(({ peer_id }) => peer_id !== this.#init.self)
        .map(({ peer_id, resources }) => ({
          peer: peer_id,
          collections: new Set(
            resources.filter(name => name.startsWith(RESOURCE_PREFIX)).map(name => name.slice(RESOURCE_PREFIX.length))
          )
        }))
    } catch (err) {
      this.#init.onError(err)
    }
  }
}
