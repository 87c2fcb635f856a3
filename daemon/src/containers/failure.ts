/** Why a container doesn't run, for people. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError'
  /** milliseconds that trying again should wait at least */
  readonly wait: number

  constructor(message: string, { wait = 0, cause }: { wait?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? {} : { cause })
    this.wait = wait
  }
}

/** Characters of an engine's own words that are kept. */
const MAX_WORDS = 500

/** What an engine refused, in its own words and with what to do where that is known. */
export function explainFailure(err: unknown, doing: string, hostPort?: number): LaunchError {
  if (err instanceof LaunchError) return err
  const words = wordsOf(err)
  return new LaunchError(`${doing}: ${words}${hintFor(words, hostPort)}`, { cause: err })
}

/** The HTTP status that an engine refused with; undefined when it didn't answer at all. */
export function statusOf(err: unknown): number | undefined {
  return err instanceof Error && 'statusCode' in err && typeof err.statusCode === 'number' ? err.statusCode : undefined
}

function wordsOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  if (err.name === 'AbortError' || err.name === 'TimeoutError') return 'the engine did not answer in time'
  const { json }: { json?: unknown } = err as Error & { json?: unknown }
  const message =
    typeof json === 'object' && json != null && 'message' in json && typeof json.message === 'string'
      ? json.message
      : 'code' in err && typeof err.code === 'string'
        ? `the engine does not answer (${err.code})`
        : err.message
  return message.replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS)
}

function hintFor(words: string, hostPort: number | undefined): string {
  if (/device driver|nvidia|unresolvable CDI|gpu/i.test(words)) {
    return '; the engine needs a GPU runtime: install the NVIDIA container toolkit, or write gpu: none'
  }
  if (/address already in use|port is already allocated/i.test(words) && hostPort != null) {
    return `; port ${hostPort} of this machine is taken: end what listens there, or write another host_port`
  }
  if (/bind source path does not exist|no such file or directory/i.test(words)) {
    return '; folders of the host in volumes must exist'
  }
  return ''
}
