import { createDispatcher, type Dispatcher } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import type { ForwardRequest } from '@hedgerow/protocols/forward'
import type { ForwardedConnection } from '@hedgerow/protocols/forward/node'
import type { Peer } from './index.ts'
import type { Network } from './network.ts'
import type { Serves } from './serves.ts'

/** What of a peer asks others for what its own users want. */
export interface Asks extends Pick<Peer, 'dispatch' | 'connect'> {
  readonly dispatcher: Dispatcher
}

/** @param isWorker it may be the best one itself */
export function createAsks(
  { node, view, finder, following, pinger, invoker, forwarder }: Network,
  { serving, connections }: Pick<Serves, 'serving' | 'connections'>,
  isWorker: boolean
): Asks {
  const self = node.peerId.toString()
  const dispatcher = createDispatcher({
    view,
    finder,
    invoker,
    pinger,
    clock: {
      now: () => performance.now(),
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout)
    },
    random: Math.random,
    ...(isWorker ? { local: { peerId: self, serve: serving.invoke } } : {})
  })
  const follow = (name: string): void => {
    const service = view.resolve(name)
    if (service != null) following.use(service)
  }
  const openHere = async (request: ForwardRequest, signal: AbortSignal): Promise<ForwardedConnection> => {
    const { socket, ending, ended } = await connections.connect(self, request, signal)
    const closed = ended.then(end => {
      if (end !== 'answered') throw new MeshError(end, 'the connection was reset')
    })
    return { duplex: socket, ending, route: { path: 'local', transport: 'tcp' }, closed }
  }
  return {
    dispatcher,
    dispatch: request => {
      follow(request.service)
      return dispatcher.dispatch(request)
    },
    connect: request => {
      follow(request.service)
      return dispatcher.connect(request, (worker, asked, { signal }) =>
        worker === self ? openHere(asked, signal) : forwarder.open(worker, asked, { signal })
      )
    }
  }
}
