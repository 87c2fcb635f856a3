/** Which of several contracts for one service counts. */
import type { Operation, ServiceContract } from '../contract/index.ts'

/**
 * Orders versions as semantic versioning does; what isn't a number in one comes after what is, as text.
 *
 * @returns negative when `a` is older than `b`
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0
  const [coreA, preA] = split(a)
  const [coreB, preB] = split(b)
  const core = compareDotted(coreA, coreB)
  if (core !== 0) return core
  // 1.0.0-beta comes before 1.0.0.
  if (preA === '' || preB === '') return Number(preA === '') - Number(preB === '')
  return compareDotted(preA, preB)
}

function split(version: string): [core: string, prerelease: string] {
  const plain = version.split('+', 1)[0] ?? ''
  const dash = plain.indexOf('-')
  return dash === -1 ? [plain, ''] : [plain.slice(0, dash), plain.slice(dash + 1)]
}

function compareDotted(a: string, b: string): number {
  const left = a.split('.')
  const right = b.split('.')
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = comparePart(left[i] ?? '', right[i] ?? '')
    if (order !== 0) return order
  }
  return 0
}

function comparePart(a: string, b: string): number {
  const digits = /^\d+$/
  if (digits.test(a) && digits.test(b)) return Number(a) - Number(b)
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? -1 : 1
  if (digits.test(a) !== digits.test(b)) return digits.test(a) ? -1 : 1
  return a < b ? -1 : 1
}

/** The newest of several; among equals the first. */
export function newestContract(contracts: Iterable<ServiceContract>): ServiceContract | undefined {
  let newest: ServiceContract | undefined
  for (const contract of contracts) {
    if (newest == null || compareVersions(contract.version, newest.version) > 0) newest = contract
  }
  return newest
}

/**
 * The shipped contract, extended by operations that only the advertised one has. What ships with this peer was
 * reviewed with it; an advert is a stranger's word. So nobody can turn an operation idempotent, make an internal one
 * public or cut a limit by advertising a greater version, and yet operations of newer workers can be reached: whether a
 * worker serves them is for the worker to say.
 */
export function extendContract(shipped: ServiceContract, advertised: ServiceContract | undefined): ServiceContract {
  const added = advertised?.operations.filter(operation => !shipped.operations.some(known => isSame(known, operation)))
  return added == null || added.length === 0 ? shipped : { ...shipped, operations: [...shipped.operations, ...added] }
}

function isSame(a: Operation, b: Operation): boolean {
  return a.method === b.method && a.path === b.path
}
