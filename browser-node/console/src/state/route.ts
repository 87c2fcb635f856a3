/** Which screen is shown: the part of the address after `#`, so that back, forward and bookmarks work. */
import { signal } from '@preact/signals'

export type Route =
  | { screen: 'home' }
  | { screen: 'task'; service: string; operation: string | undefined }
  | { screen: 'computers' }
  | { screen: 'peer'; peerId: string }
  | { screen: 'session' }

export const route = signal<Route>(routeOf(location.hash))

export function routeOf(hash: string): Route {
  const [first, second, ...rest] = hash.replace(/^#\/?/, '').split('/').map(decoded)
  if (first === 'do' && second)
    return { screen: 'task', service: second, operation: rest.length > 0 ? operationOf(rest.join('/')) : undefined }
  if (first === 'computers') return second ? { screen: 'peer', peerId: second } : { screen: 'computers' }
  if (first === 'session') return { screen: 'session' }
  return { screen: 'home' }
}

/** `POST:/documents` in an address is the operation `POST /documents`. */
function operationOf(part: string): string {
  return part.replace(':', ' ')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const taskHref = (service: string): string => `#/do/${encodeURIComponent(service)}`
export const peerHref = (peerId: string): string => `#/computers/${encodeURIComponent(peerId)}`

addEventListener('hashchange', () => {
  route.value = routeOf(location.hash)
})
