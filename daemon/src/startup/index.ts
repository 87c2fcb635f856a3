/**
 * What the programs of a mesh have in common between `argv` and a running peer: settings into a peer's configuration,
 * signals into an orderly end, errors into one line and an exit code.
 */

export { defaultListen, freePort } from './listen.ts'
export { resolveMesh } from './mesh-name.ts'
export { endOnSignal, exitWith, leaveNoCoreDumps, type Program } from './process.ts'
export { VERSION } from './version.ts'
