import type { Refusal } from '@hedgerow/protocols/gate'
import type { CredentialFault } from '@hedgerow/protocols/membership'

/** How often this peer refused others, and they this one, since the start. */
export class RefusalCounts {
  readonly #counts = new Map<string, number>()

  add({ by, error }: Refusal): void {
    const key = `${by} ${error.fault}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  count(by: Refusal['by'], fault: CredentialFault): number {
    return this.#counts.get(`${by} ${fault}`) ?? 0
  }
}
