import type { ServiceProblem } from './index.ts'

/** A request that got no good answer: what the service or the mesh said, or why nobody said anything. */
export class ServiceRequestError extends Error {
  override readonly name = 'ServiceRequestError'
  readonly service: string
  /** HTTP status; undefined when there was no answer */
  readonly status: number | undefined
  readonly problem: ServiceProblem
  /** seconds after which it may be worth another try, if the answer said so */
  readonly retryAfter: number | undefined

  constructor(
    service: string,
    message: string,
    details: { status?: number; problem?: ServiceProblem; retryAfter?: number } = {},
    options?: ErrorOptions
  ) {
    super(message, options)
    this.service = service
    this.status = details.status
    this.problem = details.problem ?? {}
    this.retryAfter = details.retryAfter
  }
}
