import type { View } from '@hedgerow/protocols/view'

/** Names of services that others brought and that became labels: each costs some forty time series. */
export const MAX_SERVICE_LABELS = 100

/** What stands for every name that is no label. */
export const OTHER = 'other'

/**
 * Which services are told apart. Those that ship with this peer are; those that workers offer are too, the first
 * hundred that come. What a caller merely asks for never is, whatever they make up.
 */
export class ServiceLabels {
  readonly #own: ReadonlySet<string>
  readonly #view: Pick<View, 'resolve' | 'candidates'>
  readonly #offered = new Set<string>()

  /** @param own names of services that this peer has manifests or contracts of */
  constructor(own: Iterable<string>, view: Pick<View, 'resolve' | 'candidates'>) {
    this.#own = new Set(own)
    this.#view = view
  }

  /** The label for what a caller named. */
  of(nameOrAlias: string): string {
    const name = this.#view.resolve(nameOrAlias)
    if (name == null) return OTHER
    if (this.#own.has(name) || this.#offered.has(name)) return name
    if (this.#offered.size >= MAX_SERVICE_LABELS || this.#view.candidates(name).length === 0) return OTHER
    this.#offered.add(name)
    return name
  }

  /** Every name that is a label until now. */
  *names(): Generator<string> {
    yield* this.#own
    for (const name of this.#offered) if (!this.#own.has(name)) yield name
  }
}
