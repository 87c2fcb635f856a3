/**
 * What passes between callers and services, and what stops at the edge: paths that two servers would read in two ways,
 * and headers that speak of a connection, of where a request came from, or for a whole site. The ingress and the worker
 * both ask here, since neither trusts the other.
 *
 * @example
 * ```ts
 * isAmbiguous('/files/..;/admin') // true
 * passesToService('x-forwarded-for') // false
 * passesToCaller('set-cookie') // false
 * ```
 */
export { connectionOptions, isHopByHop, isOurs, passesToCaller, passesToService } from './headers.ts'
export { isAmbiguous } from './path.ts'
