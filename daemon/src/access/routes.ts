import type { Right } from './caller.ts'

/** `everybody`: nobody has to say who they are. */
export type Need = Right | 'everybody'

/**
 * What each route needs; `docs/access.md` has the same table, and a test compares. `/*` stands for a path and all below
 * it. A route that isn't here needs `admin`, so that a new one is closed until somebody has thought of it.
 */
export const ROUTE_NEEDS: Readonly<Record<string, Need>> = {
  '/health': 'everybody',
  '/bootstrap': 'everybody',
  '/entry-points': 'everybody',
  '/api/entry-points': 'everybody',
  '/api/enrol': 'everybody',
  // what is brought there is signed by who has the right
  '/api/admin/revocations': 'everybody',
  '/service/*': 'call',
  '/v1/*': 'call',
  '/api/services': 'call',
  '/openapi.json': 'call',
  '/docs/*': 'call',
  '/stats': 'read',
  '/metrics': 'read',
  '/events': 'read',
  '/adverts': 'read',
  // over the mesh only
  '/dial-back': 'read',
  '/explain/*': 'read',
  '/receipts/*': 'call',
  '/api/peers/*': 'read',
  '/api/dht/*': 'read',
  '/api/mesh': 'read',
  '/api/admin/*': 'admin',
  '/api/coordinator/*': 'admin'
}

/** Routes by what they are; a peer has dozens. */
const found = new Map<string, Need>()

/** @param route as the framework writes it, such as `/explain/:id`; undefined where there is none */
export function needOf(route: string | undefined): Need {
  // Nobody is told what isn't there before they have said who they are.
  if (route == null) return 'call'
  let need = found.get(route)
  if (need == null) {
    need = look(route)
    found.set(route, need)
  }
  return need
}

function look(route: string): Need {
  for (let path = route.replace(/\/$/, ''); ; path = path.slice(0, path.lastIndexOf('/'))) {
    const exact = path === route ? ROUTE_NEEDS[path] : undefined
    const need = exact ?? ROUTE_NEEDS[`${path}/*`]
    if (need != null) return need
    if (!path.includes('/')) return 'admin'
  }
}
