/** How a command can end other than well, and the exit code that scripts see. */
const EXIT_CODES = { Failed: 1, Usage: 2, Unreachable: 3 } as const

export type FailureCode = keyof typeof EXIT_CODES

/** Its message is one for people: what happened, and what to do. Further lines come below it as hints. */
export class InspectorError extends Error {
  override readonly name: string = 'InspectorError'
  readonly code: FailureCode
  readonly hints: string[]

  constructor(code: FailureCode, message: string, hints: string[] = [], options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.hints = hints
  }

  get exitCode(): number {
    return EXIT_CODES[this.code]
  }
}

/** An error that the mesh answered with. */
export class ProblemError extends InspectorError {
  override readonly name = 'ProblemError'
  readonly status: number
  /** the mesh's code, as in `UnknownRequest`; undefined when the answer was no problem document */
  readonly problem: string | undefined

  constructor(status: number, problem: string | undefined, detail: string, hints: string[] = []) {
    super('Failed', detail, hints)
    this.status = status
    this.problem = problem
  }
}
