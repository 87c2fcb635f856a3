import type { ServiceContract } from '@hedgerow/protocols/contract'
import { ConfigError } from '../config/errors.ts'
import { suggest } from '../manifest/suggest.ts'

/**
 * The services that a setting names, by name or alias; `*` stays as it is.
 *
 * @param leftOut files whose mistakes are said elsewhere: what is named may be in one of them
 * @throws {ConfigError} when no manifest has one of them
 */
export function namedServices(
  setting: string,
  given: readonly string[],
  contracts: readonly Pick<ServiceContract, 'name' | 'aliases'>[],
  leftOut: readonly string[] = []
): string[] {
  return given.map(one => {
    if (one === '*') return one
    const named = contracts.find(({ name, aliases }) => name === one || aliases.includes(one))
    if (named != null) return named.name
    const meant = suggest(
      one,
      contracts.flatMap(({ name, aliases }) => [name, ...aliases])
    )
    const known = contracts.map(({ name }) => name).sort()
    const broken =
      leftOut.length === 0 ? '' : `; left out, since they have mistakes: ${[...new Set(leftOut)].join(', ')}`
    throw new ConfigError(
      setting,
      `there is no service ${one}; ${meant == null ? `there are: ${known.join(', ')}` : `did you mean ${meant}?`}${broken}`
    )
  })
}
