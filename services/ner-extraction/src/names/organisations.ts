import type { Candidate } from '../entity.ts'
import type { Gazetteers } from '../gazetteer.ts'
import type { Token } from '../tokens.ts'
import { listedOrganisations } from './listed-organisations.ts'
import { patternedOrganisations, phrasesWhereFirmsStand, prefixedOrganisations } from './organisation-patterns.ts'

export function organisations(text: string, tokens: Token[], gazetteers: Gazetteers): Candidate[] {
  const known = listedOrganisations(text, tokens, gazetteers)
  return [
    ...known,
    ...patternedOrganisations(text, tokens).map(found => named(found, known)),
    ...prefixedOrganisations(text),
    ...phrasesWhereFirmsStand(tokens)
  ]
}

/** "Severn Trent Water Ltd" is the Severn Trent of the list. */
function named(found: Candidate, known: Candidate[]): Candidate {
  const same = known.find(({ start, end, confidence }) => start === found.start && end <= found.end && confidence > 0.8)
  return same == null ? found : { ...found, kind: same.kind, normalized: same.normalized }
}
