import type { BackendSpec } from '../manifest/index.ts'
import type { Target } from './index.ts'

/** How a kind of backend comes to life. */
export interface Launcher {
  readonly type: BackendSpec['type']
  /** whether it can be ended and launched again when it fails */
  readonly restartable: boolean
  /** milliseconds that it has to end when it is stopped. @default the daemon's own */
  readonly stopGrace?: number
  /**
   * @param signal aborted when it isn't wanted any more
   * @throws when it can't even be started, with a message for people; `wait` on it are the milliseconds that the next try
   * must wait at least
   */
  launch(signal: AbortSignal): Promise<Launched>
  /** the last lines it wrote to stderr */
  stderr(): string[]
}

export interface Launched {
  target: Target
  pid?: number
  /** its id */
  container?: string
  /** resolves when it is gone, where that is known before its last words are; connections of TCP are reset then */
  exited?: Promise<unknown>
  /** resolves when it has ended, with how */
  ended: Promise<string>
  /** @param grace milliseconds until it is killed */
  stop(grace: number): Promise<void>
}
