/**
 * What must be known before a peer can be made: which mesh it joins, where it listens.
 */
export { accessOf } from './access.ts'
export { defaultListen, freePort, freeUdpPort } from './listen.ts'
export { resolveMembership } from './membership.ts'
export { resolveMesh } from './mesh-name.ts'
export { type PublicWay, publicWayOf } from './public-way.ts'
export { answerWhileWaiting } from './waiting.ts'
