import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { ProcessSpec, ServiceManifest } from '../manifest/index.ts'
import { HUNG_GRACE, KILL_PATIENCE, LAST_WORDS } from './constants.ts'
import { processEnvironment, stateFolder } from './env.ts'
import { LogForwarder, parseLine } from './forward.ts'
import { endGroup, signalGroup } from './group.ts'
import type { RuntimeComponents } from './index.ts'
import type { Launched, Launcher } from './launcher.ts'
import { readLines } from './lines.ts'
import { freePort } from './ports.ts'
import { targetAt } from './target.ts'

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** A backend listens for its daemon alone. */
const HOST = '127.0.0.1'

/** Starts a process in a group of its own, so that all it starts in its turn ends with it. */
export class ProcessLauncher implements Launcher {
  readonly type = 'process'
  readonly restartable = true
  readonly #manifest: ServiceManifest
  readonly #spec: ProcessSpec
  readonly #components: RuntimeComponents
  readonly #forwarder: LogForwarder

  constructor(manifest: ServiceManifest, spec: ProcessSpec, components: RuntimeComponents) {
    this.#manifest = manifest
    this.#spec = spec
    this.#components = components
    this.#forwarder = new LogForwarder(components.log, () => components.clock.now())
  }

  stderr(): string[] {
    return this.#forwarder.kept()
  }

  async launch(): Promise<Launched> {
    const { environment, random, reaper } = this.#components
    const port = await freePort(HOST, random)
    const env = processEnvironment({
      spec: this.#spec,
      service: this.#manifest.contract.name,
      port,
      host: HOST,
      environment,
      stateDir: await stateFolder(this.#manifest, environment),
      own: process.env
    })
    const child = await this.#spawn(env)
    const { pid } = child
    if (pid == null) throw new Error('the process has no id')
    reaper.add(pid)
    readLines(child.stdout, line => this.#forwarder.stdout(line))
    readLines(child.stderr, line => this.#forwarder.stderr(line))
    // Open as long as we live; a process that closes its end may.
    child.stdin.on('error', () => {})

    let stopping = false
    const exited = once(child, 'exit')
    const ended = exited.then(async () => {
      // What it left behind goes with it; when it is being stopped, that gets its grace, too.
      if (!stopping) {
        signalGroup(pid, 'SIGKILL')
        reaper.drop(pid)
      }
      await within(LAST_WORDS, once(child, 'close'))
      return this.#howItEnded(child)
    })
    return {
      target: targetAt(this.#manifest.contract.protocol, HOST, port),
      pid,
      exited,
      ended,
      async stop(grace) {
        stopping = true
        const before = performance.now()
        if (child.exitCode == null && child.signalCode == null) {
          signalGroup(pid, 'SIGTERM')
          if (!(await within(grace, ended))) {
            signalGroup(pid, 'SIGKILL')
            await within(KILL_PATIENCE, ended)
          }
        }
        await endGroup(pid, Math.min(HUNG_GRACE, grace - (performance.now() - before)))
        reaper.drop(pid)
        child.stdin.destroy()
      }
    }
  }

  #howItEnded({ exitCode, signalCode }: Child): string {
    const how = signalCode == null ? `exited with code ${exitCode}` : `was killed by ${signalCode}`
    if (exitCode === 0) return how
    const lines = this.#forwarder.kept().map(line => parseLine(line).message)
    const telling = lines.findLast(line => /error|exception|fatal|panic/i.test(line)) ?? lines.at(-1)
    return telling == null ? how : `${how}: ${telling}`
  }

  async #spawn(env: Record<string, string>): Promise<Child> {
    const [program = '', ...args] = this.#spec.command
    const { folder } = this.#manifest
    const child = spawn(program === 'node' ? process.execPath : program, args, {
      cwd: folder,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true
    })
    try {
      await once(child, 'spawn')
    } catch (err) {
      const missing = err instanceof Error && 'code' in err && err.code === 'ENOENT'
      const why = missing ? 'there is no such program or folder' : err instanceof Error ? err.message : String(err)
      throw new Error(`cannot run ${program} in ${folder}: ${why}`, { cause: err })
    }
    return child
  }
}

/** Whether something happens within so many milliseconds. */
async function within(milliseconds: number, event: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  try {
    return await Promise.race([event.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
