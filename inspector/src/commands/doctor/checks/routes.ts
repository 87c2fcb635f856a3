import { loadManifests } from '@hedgerow/daemon/manifest'
import { SHIPPED_SERVICES } from '@hedgerow/daemon/services'
import { isMeshErrorCode, type MeshErrorCode } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import { request } from 'undici'
import { reasonOf } from '../../../source/daemon.ts'
import { inParallel } from '../../../source/parallel.ts'
import type { Check, Finding, Verdict, Visit } from '../index.ts'

/** Routes that are tried at once, and in all: an open mesh may know thousands of names. */
const PARALLEL = 8
const MAX_ROUTES = 64
/** Milliseconds for one answer. */
const PATIENCE = 4000
/** It ships as a way to an upstream (Ollama, vLLM), which a mesh need not have. */
const OPTIONAL: ReadonlySet<string> = new Set(['llm-inference'])
/** Where frontends ask by which URLs the mesh is reached. */
const ENTRY_POINTS = '/entry-points'

interface Route {
  /** as in `/service/ner` */
  path: string
  /** the service behind it, by its own name */
  service: string
  /** names of workers that offer it; undefined where this command could not join, and so doesn't know */
  workers: string[] | undefined
}

export interface RouteAnswer {
  /** undefined when none came */
  status: number | undefined
  /** code of the mesh's own error */
  error: MeshErrorCode | undefined
  /** name or peer id of who answered */
  worker: string | undefined
  /** why none came */
  reason?: string
}

export const routes: Check = {
  id: 'routes',
  title: 'routes',
  limit: PATIENCE + 1000,
  needs: ['relay'],
  // Who offers what is known once this command has joined.
  after: ['join'],
  late: 'the relay answers too slowly: look at its load (hedgerow top)',
  async look(visit, signal) {
    const found = await routesOf(visit)
    const services = inParallel(found.slice(0, MAX_ROUTES), PARALLEL, async (route): Promise<Finding> => {
      const answer = await tryRoute(visit, `${route.path}/health`, signal)
      return { title: route.path, ...judgeRoute(route, answer) }
    })
    if (visit.init.services != null) return services
    const entryPoints = judgeEntryPoints(await tryRoute(visit, ENTRY_POINTS, signal))
    return [{ title: ENTRY_POINTS, ...entryPoints }, ...(await services)]
  }
}

async function routesOf({ joined, init }: Visit): Promise<Route[]> {
  const view = joined?.peer.view
  const known =
    view == null
      ? (await loadManifests([SHIPPED_SERVICES])).manifests.map(({ contract }) => contract)
      : [...view.services()]
  const wanted = init.services
  const all = known.flatMap(({ name, aliases }): Route[] => {
    const workers = view?.candidates(name).map(({ peerId }) => view.peer(peerId)?.advert.name ?? peerId)
    const shown =
      wanted == null
        ? aliases.length > 0
          ? aliases
          : [name]
        : wanted.filter(one => one === name || aliases.includes(one))
    return shown.map(alias => ({ path: `/service/${encodeURIComponent(alias)}`, service: name, workers }))
  })
  const unknown = (wanted ?? []).filter(
    one => !known.some(({ name, aliases }) => name === one || aliases.includes(one))
  )
  return [
    ...all,
    ...unknown.map(one => ({
      path: `/service/${encodeURIComponent(one)}`,
      service: one,
      workers: view == null ? undefined : []
    }))
  ]
}

/** As a frontend does, over the relay's HTTP bridge. */
async function tryRoute({ url, init, joined }: Visit, path: string, signal: AbortSignal): Promise<RouteAnswer> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
  const key = init.key ?? init.env.HEDGEROW_KEY
  try {
    const { statusCode, headers, body } = await request(new URL(path, url), {
      headers: key ? { 'x-api-key': key } : {},
      signal: patience
    })
    await body.dump()
    const [error, worker] = [headers[HEADERS.error], headers[HEADERS.worker]]
    return {
      status: statusCode,
      error: isMeshErrorCode(error) ? error : undefined,
      worker: typeof worker === 'string' ? (joined?.peer.view.peer(worker)?.advert.name ?? worker) : undefined
    }
  } catch (err) {
    const reason = patience.aborted ? `no answer within ${PATIENCE / 1000} s` : reasonOf(err)
    return { status: undefined, error: undefined, worker: undefined, reason }
  }
}

export function judgeEntryPoints({ status, reason }: Pick<RouteAnswer, 'status' | 'reason'>): Verdict {
  if (status === 200) return { state: 'well', found: 'the relay tells frontends where to get in' }
  if (status === 503)
    return {
      state: 'none',
      found:
        'the relay knows no URL at which another peer has reached one; frontends that ask here need it (docs/relay.md)'
    }
  return {
    state: 'wrong',
    found: status == null ? (reason ?? 'no answer') : `it is answered ${status}`,
    fix: 'the proxy or tunnel before the relay must pass every path on'
  }
}

export function judgeRoute({ service, workers }: Pick<Route, 'service' | 'workers'>, answer: RouteAnswer): Verdict {
  const { status, error, worker, reason } = answer
  const offers = workers == null || workers.length === 0 ? '' : `, offered by ${workers.toSorted().join(', ')}`
  if (workers?.length === 0 || error === 'NoWorker' || error === 'UnknownService') {
    const found = `nobody offers ${service} now`
    if (OPTIONAL.has(service)) return { state: 'none', found: `${found}; it needs an upstream such as Ollama` }
    return {
      state: 'wrong',
      found,
      fix: `start a worker that may run it (HEDGEROW_SERVICES=${service} pins it); hedgerow inspect <worker> says why one does not`
    }
  }
  if (status == null)
    return {
      state: 'wrong',
      found: `${reason ?? 'no answer'}${offers}`,
      fix: 'look at the workers that offer it: hedgerow inspect <worker>'
    }
  if (status === 401 || (status === 403 && error === 'Forbidden'))
    return { state: 'none', found: `the relay wants a key (--key, or HEDGEROW_KEY)${offers}` }
  if (status === 429) return { state: 'well', found: `busy${offers}` }
  // Not every service has /health. That the relay knows what it has is answer enough.
  if (error === 'UnknownOperation' || error === 'MethodNotAllowed')
    return { state: 'well', found: `${service}${offers || ' is known'}` }
  if (status >= 500)
    return {
      state: 'wrong',
      found: `${worker ?? 'the mesh'} answers ${status}${error == null ? '' : ` ${error}`}${offers}`,
      fix: `look into the log of ${worker ?? 'its workers'}, and at its backend: hedgerow inspect ${worker ?? '<worker>'}`
    }
  return { state: 'well', found: `${worker ?? 'the mesh'} answers${offers}` }
}
