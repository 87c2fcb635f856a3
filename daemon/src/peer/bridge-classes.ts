import { maySee, OPEN_CLASSES } from '@hedgerow/protocols/data-class'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import type { View } from '@hedgerow/protocols/view'

/** Classes of data that pass a bridge unless its operator says otherwise. */
export const BRIDGE_CLASSES = OPEN_CLASSES

/**
 * What enters at a relay's HTTP port, or at any that is not this machine's own, is in clear there: whoever runs the peer
 * could read it. So it refuses what is more confidential than its operator answers for; such requests belong to a peer of
 * the caller's own, a page or a daemon.
 *
 * @param pass takes what may pass
 * @param allowed the classes that may pass
 */
export function bridging<R extends Pick<DispatchRequest, 'service' | 'dataClass'>, A>(
  pass: (request: R & Pick<DispatchRequest, 'check'>) => Promise<A>,
  view: Pick<View, 'resolve' | 'contract'>,
  allowed: readonly string[]
): (request: R) => Promise<A> {
  const check = (name: string | undefined, ...needed: Array<string | undefined>): void => {
    const forbidden = needed.find(one => one != null && !maySee(allowed, one))
    if (forbidden == null) return
    throw new MeshError(
      'ClassNotAllowed',
      `${forbidden} data does not pass this HTTP bridge, which would see it in clear; send it from a page or a daemon that is a peer itself (the operator of the bridge may allow the class with HEDGEROW_BRIDGE_CLASSES)`,
      { data_class: forbidden, retry_safe: true, ...(name == null ? {} : { service: name }) }
    )
  }
  return async request => {
    const name = view.resolve(request.service)
    check(name, request.dataClass, name == null ? undefined : view.contract(name)?.dataClass)
    // What a service is that must be looked for is known later.
    return pass({ ...request, check: contract => check(contract.name, contract.dataClass) })
  }
}
