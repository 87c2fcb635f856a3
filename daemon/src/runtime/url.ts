import type { UrlSpec } from '../manifest/index.ts'
import type { Launched, Launcher } from './launcher.ts'

/** A server that runs already: nothing to start, nothing to end. */
export class UrlLauncher implements Launcher {
  readonly type = 'url'
  readonly restartable = false
  readonly #spec: UrlSpec

  constructor(spec: UrlSpec) {
    this.#spec = spec
  }

  async launch(): Promise<Launched> {
    const { origin, prefix } = this.#spec
    return { target: { origin, prefix }, ended: new Promise(() => {}), stop: async () => {} }
  }

  stderr(): string[] {
    return []
  }
}
