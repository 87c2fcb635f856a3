import { asArray, asNumber, asRecord, asString } from './json.ts'

export interface Entity {
  type: string
  text: string
  start: number
  end: number
  normalized: string | undefined
}

/** A stretch of the text, with what it is, if it is anything. */
export interface Stretch {
  text: string
  entity: Entity | undefined
}

export function entitiesOf(answer: unknown): Entity[] {
  return asArray(asRecord(answer)?.entities).flatMap(raw => {
    const entity = asRecord(raw)
    const start = asNumber(entity?.start)
    const end = asNumber(entity?.end)
    const type = asString(entity?.type)
    if (start == null || end == null || type == null || start >= end) return []
    return [{ type, text: asString(entity?.text) ?? '', start, end, normalized: asString(entity?.normalized) }]
  })
}

/** The text, cut where entities begin and end. What overlaps an earlier one is left unmarked. */
export function marked(text: string, entities: Entity[]): Stretch[] {
  const stretches: Stretch[] = []
  let at = 0
  for (const entity of [...entities].sort((a, b) => a.start - b.start)) {
    if (entity.start < at || entity.end > text.length) continue
    if (entity.start > at) stretches.push({ text: text.slice(at, entity.start), entity: undefined })
    stretches.push({ text: text.slice(entity.start, entity.end), entity })
    at = entity.end
  }
  if (at < text.length) stretches.push({ text: text.slice(at), entity: undefined })
  return stretches
}

const WORDS: Record<string, [one: string, many: string]> = {
  PERSON: ['Person', 'People'],
  ORG: ['Organisation', 'Organisations'],
  MONEY: ['Amount', 'Amounts'],
  DATE: ['Date', 'Dates'],
  POSTCODE: ['Postcode', 'Postcodes'],
  NINO: ['National Insurance number', 'National Insurance numbers'],
  PHONE: ['Telephone number', 'Telephone numbers'],
  EMAIL: ['Email address', 'Email addresses'],
  PLACE: ['Place', 'Places'],
  ACCOUNT: ['Account or reference', 'Accounts and references']
}

export function typeWords(type: string, many = false): string {
  return WORDS[type]?.[many ? 1 : 0] ?? type.toLowerCase()
}

/** Which of the few colours of marks a type has: names, organisations, figures, dates, everything else. */
export function toneOf(type: string): 'who' | 'org' | 'sum' | 'when' | 'other' {
  switch (type) {
    case 'PERSON':
      return 'who'
    case 'ORG':
      return 'org'
    case 'MONEY':
      return 'sum'
    case 'DATE':
      return 'when'
    default:
      return 'other'
  }
}
