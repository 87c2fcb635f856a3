/**
 * What every program of the mesh does as a process: errors become one line and an exit code, signals an orderly end.
 * Light on purpose: `--help` loads this and the settings, and nothing of libp2p.
 */
export { closeInheritedFiles, endOnSignal, exitWith, leaveNoCoreDumps, type Program } from './lifecycle.ts'
export { VERSION } from './version.ts'
