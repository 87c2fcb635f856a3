import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { ContainerInspectInfo } from 'dockerode'
import { CALL_TIMEOUT, PULL_RETRY, PULL_RETRY_MAX } from '../containers/constants.ts'
import { statusOf } from '../containers/failure.ts'
import {
  type ContainerEngine,
  explainFailure,
  exposedBy,
  imageReference,
  LaunchError,
  planContainer,
  pullImage,
  type ReadyEngine,
  removeContainers
} from '../containers/index.ts'
import type { ContainerSpec, ServiceManifest } from '../manifest/index.ts'
import { CONTAINER_LAST_WORDS, CONTAINER_LOOK, STOP_MARGIN } from './constants.ts'
import { LogForwarder, parseLine } from './forward.ts'
import { splitOutput } from './frames.ts'
import type { RuntimeComponents, Target } from './index.ts'
import type { Launched, Launcher } from './launcher.ts'
import { readLines } from './lines.ts'
import { targetAt } from './target.ts'

type Inspected = Pick<ContainerInspectInfo, 'NetworkSettings'>

/** Has an engine run a container, pulls its image first, and removes it when it is over. */
export class ContainerLauncher implements Launcher {
  readonly type = 'container'
  readonly restartable = true
  readonly stopGrace: number
  readonly #manifest: ServiceManifest
  readonly #spec: ContainerSpec
  readonly #engine: ContainerEngine
  readonly #components: RuntimeComponents
  readonly #forwarder: LogForwarder
  /** pulls in a row that failed */
  #failedPulls = 0

  constructor(manifest: ServiceManifest, spec: ContainerSpec, engine: ContainerEngine, components: RuntimeComponents) {
    this.#manifest = manifest
    this.#spec = spec
    this.#engine = engine
    this.#components = components
    this.stopGrace = spec.stop
    this.#forwarder = new LogForwarder(components.log, () => components.clock.now())
  }

  stderr(): string[] {
    return this.#forwarder.kept()
  }

  async launch(signal: AbortSignal): Promise<Launched> {
    const ready = await this.#engine.need()
    signal.throwIfAborted()
    const { docker } = ready
    const { peerId } = this.#components.environment
    const service = this.#manifest.contract.name
    try {
      // Of an earlier life of this daemon, or what couldn't be removed in its time.
      await removeContainers(docker, { peerId, service })
    } catch (err) {
      throw explainFailure(err, 'cannot remove the container that was here before')
    }
    await this.#provideImage(docker, signal)
    const container = await this.#start(ready, signal)
    return this.#watch(container, await this.#locate(container, ready))
  }

  async #provideImage(docker: Docker, signal: AbortSignal): Promise<void> {
    const { pull } = this.#spec
    const image = imageReference(this.#spec.image)
    if (pull !== 'always' && (await hasImage(docker, image))) return
    if (pull === 'never') {
      throw new LaunchError(`the image ${image} is not here, and pull is never: docker pull ${image}, or podman pull`)
    }
    const { log, clock } = this.#components
    try {
      await pullImage({ docker, image, log, signal, now: () => clock.now() })
      this.#failedPulls = 0
    } catch (err) {
      if (signal.aborted) throw err
      const wait = Math.min(PULL_RETRY_MAX, PULL_RETRY * 2 ** Math.min(this.#failedPulls++, 30))
      throw new LaunchError(explainFailure(err, `cannot pull ${image}`).message, { wait, cause: err })
    }
  }

  async #start(ready: ReadyEngine, signal: AbortSignal): Promise<Docker.Container> {
    const { docker, info, place, reach } = ready
    const { hostPort } = this.#spec
    const exposed = await exposedBy(this.#spec, place)
    if (exposed != null)
      throw new LaunchError(`${exposed} (volumes) holds the engine's own socket, which goes into no container`)
    const { peerId } = this.#components.environment
    const { options, furtherNetworks } = planContainer({
      manifest: this.#manifest,
      spec: this.#spec,
      info,
      reach,
      peerId,
      run: this.#engine.run
    })
    let container: Docker.Container | undefined
    try {
      container = await docker.createContainer({ ...options, abortSignal: soon() })
      for (const network of furtherNetworks) {
        await inTime(docker.getNetwork(network).connect({ Container: container.id }))
      }
      signal.throwIfAborted()
      await container.start({ abortSignal: soon() })
      signal.throwIfAborted()
      return container
    } catch (err) {
      await container?.remove({ force: true, v: true, abortSignal: soon() }).catch(() => {})
      throw explainFailure(err, `cannot start a container of ${this.#spec.image}`, hostPort)
    }
  }

  /** Where its server is, as this daemon reaches it. */
  async #locate(container: Docker.Container, { reach }: ReadyEngine): Promise<Target> {
    const { port } = this.#spec
    const { protocol } = this.#manifest.contract
    try {
      const inspected: Inspected = await container.inspect({ abortSignal: soon() })
      const { Ports, Networks } = inspected.NetworkSettings
      const [host, at] =
        reach.kind === 'networks'
          ? [Networks?.[reach.names[0]]?.IPAddress, port]
          : ['127.0.0.1', Number(Ports?.[`${port}/tcp`]?.[0]?.HostPort)]
      if (!host || !(at > 0)) throw new LaunchError('the container has ended at once, or has no address')
      return targetAt(protocol, host, at)
    } catch (err) {
      const how = await this.#howItEnded(container)
      await container.remove({ force: true, v: true, abortSignal: soon() }).catch(() => {})
      throw err instanceof LaunchError ? new LaunchError(how) : explainFailure(err, 'cannot look at the container')
    }
  }

  #watch(container: Docker.Container, target: Target): Launched {
    const over = new AbortController()
    const { log } = this.#components
    let isRead = false
    const read = async (late: boolean): Promise<void> => {
      isRead = true
      await this.#follow(container, over.signal, late)
      isRead = false
    }
    let output = read(false)
    const exited = this.#untilEnded(container, over.signal, () => {
      // A proxy may have cut off nothing but what waits for the end.
      if (!isRead) output = read(true)
    })
    const ended = exited.then(async () => {
      await Promise.race([output, delay(CONTAINER_LAST_WORDS)])
      return this.#howItEnded(container)
    })
    const remove = async (): Promise<void> => {
      try {
        await container.remove({ force: true, v: true, abortSignal: soon() })
      } catch (err) {
        if (statusOf(err) === 404) return
        const { message } = explainFailure(err, 'cannot remove the container')
        log.warn({ container: container.id.slice(0, 12) }, `${message}; it is removed when the engine is back`)
      }
    }
    let stopping = false
    void ended.then(() => {
      if (!stopping) void remove()
    })
    return {
      target,
      container: container.id,
      exited,
      ended,
      async stop(grace) {
        stopping = true
        const abortSignal = AbortSignal.timeout(grace + STOP_MARGIN)
        // It has ended, or is gone, or the engine is: what is left is for the removal to say.
        await container.stop({ t: Math.ceil(grace / 1000), abortSignal }).catch(() => {})
        await Promise.race([ended, delay(CONTAINER_LAST_WORDS)])
        over.abort()
        await remove()
      }
    }
  }

  /** Reads what it writes into our log. @param late from now on only: what came before was read */
  async #follow(container: Docker.Container, signal: AbortSignal, late = false): Promise<void> {
    try {
      const source = await container.logs({
        follow: true,
        stdout: true,
        stderr: true,
        ...(late ? { tail: 0 } : {}),
        abortSignal: signal
      })
      const { stdout, stderr } = splitOutput(Readable.from(source))
      readLines(stdout, line => this.#forwarder.stdout(line))
      readLines(stderr, line => this.#forwarder.stderr(line))
      await Promise.all([stdout, stderr].map(stream => new Promise(resolve => stream.once('close', resolve))))
    } catch (err) {
      if (!signal.aborted) this.#components.log.debug({ err }, 'the output of the container cannot be read')
    }
  }

  /** Resolves when the container has ended or is gone. An engine that is away takes nothing along: it is asked again. */
  async #untilEnded(container: Docker.Container, signal: AbortSignal, onReturn: () => void): Promise<void> {
    let away = false
    while (!signal.aborted) {
      try {
        const { State } = await container.inspect({ abortSignal: AbortSignal.any([signal, soon()]) })
        if (!State.Running) return
        if (away) onReturn()
        away = false
        await container.wait({ abortSignal: signal })
        return
      } catch (err) {
        if (statusOf(err) === 404 || signal.aborted) return
        away = true
        await delay(CONTAINER_LOOK, undefined, { signal }).catch(() => {})
      }
    }
  }

  async #howItEnded(container: Docker.Container): Promise<string> {
    const { memory } = this.#spec
    const limit = memory === 0 ? 'no limit' : `its limit of ${memory} MiB (memory_mb)`
    try {
      const { State } = await container.inspect({ abortSignal: soon() })
      const { OOMKilled, ExitCode, Error: error } = State
      if (OOMKilled) return `ran out of memory and was killed: it took more than ${limit}`
      if (error !== '' && error != null) return `could not run: ${error.slice(0, 300)}`
      const how = ExitCode > 128 ? `was killed by signal ${ExitCode - 128}` : `exited with code ${ExitCode}`
      // Not every engine notices who killed it.
      if (ExitCode === 137 && memory !== 0) return `${how}, as happens when it takes more than ${limit}`
      return ExitCode === 0 ? how : this.#withLastWords(how)
    } catch (err) {
      return statusOf(err) === 404 ? 'was removed by somebody else' : 'ended, and the engine does not say how'
    }
  }

  #withLastWords(how: string): string {
    const lines = this.#forwarder.kept().map(line => parseLine(line).message)
    const telling = lines.findLast(line => /error|exception|fatal|panic/i.test(line)) ?? lines.at(-1)
    return telling == null ? how : `${how}: ${telling}`
  }
}

const soon = (): AbortSignal => AbortSignal.timeout(CALL_TIMEOUT)

/** For calls that take no signal. */
async function inTime<T>(call: Promise<T>): Promise<T> {
  const signal = soon()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([call, late]).finally(() => signal.removeEventListener('abort', onAbort))
}

async function hasImage(docker: Docker, image: string): Promise<boolean> {
  try {
    await inTime(docker.getImage(image).inspect())
    return true
  } catch (err) {
    if (statusOf(err) === 404) return false
    throw explainFailure(err, `cannot look for the image ${image}`)
  }
}
