/** What is typed about roles, services, classes and times. */
import { NAME_PATTERN, PEER_ID_PATTERN } from '@hedgerow/protocols/ids'
import { MEMBER_ROLES, type MemberRole, type Rights } from '@hedgerow/protocols/membership'
import { InspectorError } from '../../errors.ts'

export interface RightsOptions {
  role: string
  services?: string
  classes?: string
}

const NAME = new RegExp(NAME_PATTERN)
const DEFAULT_CLASSES = 'public,internal'

/** @throws {InspectorError} Usage */
export function rightsOf({ role, services, classes = DEFAULT_CLASSES }: RightsOptions): Rights {
  const roles = listOf(role).map(roleOf)
  if (roles.length === 0) throw new InspectorError('Usage', `--role: name at least one of ${MEMBER_ROLES.join(', ')}`)
  if (services == null && roles.includes('worker'))
    throw new InspectorError('Usage', '--services: say which services this worker may offer', [
      "as in --services ner-extraction,vision-ocr; --services '*' is every one"
    ])
  return {
    roles,
    services: namesOf('--services', services ?? '*', true),
    classes: namesOf('--classes', classes, false)
  }
}

export function peerIdOf(text: string): string {
  if (new RegExp(PEER_ID_PATTERN).test(text)) return text
  throw new InspectorError('Usage', `${text} is no peer id such as 12D3KooW...`, [
    "a peer's id stands in its log, in `GET /health` and in `hedgerow peers --json`"
  ])
}

const UNITS: Record<string, number> = { m: 60, h: 3600, d: 86_400 }

/** @returns seconds @throws {InspectorError} Usage */
export function durationOf(option: string, text: string): number {
  const [, number, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const seconds = Number(number) * (UNITS[unit] ?? Number.NaN)
  if (seconds > 0) return seconds
  throw new InspectorError('Usage', `${option}: ${JSON.stringify(text)} is no time such as 30m, 12h or 7d`)
}

function roleOf(name: string): MemberRole {
  const role = MEMBER_ROLES.find(one => one === name)
  if (role != null) return role
  throw new InspectorError(
    'Usage',
    `--role: there is no role ${JSON.stringify(name)}; there are ${MEMBER_ROLES.join(', ')}`
  )
}

function namesOf(option: string, text: string, allowAll: boolean): string[] {
  return listOf(text).map(name => {
    if ((allowAll && name === '*') || NAME.test(name)) return name
    throw new InspectorError(
      'Usage',
      `${option}: ${JSON.stringify(name)} is no name of lower-case letters, digits, hyphens`
    )
  })
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
}
