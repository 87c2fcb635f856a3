import type { Target } from './index.ts'
import type { Launched, Launcher } from './launcher.ts'

/** A server that runs already: nothing to start, nothing to end. */
export class RunningServer implements Launcher {
  readonly type: 'url' | 'tcp'
  readonly restartable = false
  readonly #target: Target

  constructor(type: 'url' | 'tcp', target: Target) {
    this.type = type
    this.#target = target
  }

  async launch(): Promise<Launched> {
    return { target: this.#target, ended: new Promise(() => {}), stop: async () => {} }
  }

  stderr(): string[] {
    return []
  }
}
