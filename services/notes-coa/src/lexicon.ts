import { type Config, CUES, type Cue, phrases, type Words } from './config.ts'
import { PhraseIndex } from './text/phrases.ts'
import { tokenise } from './text/tokens.ts'

export interface Topic {
  /** code of the kind of debt it can be */
  debt?: string
  income: boolean
  spending: boolean
}

export interface CreditorEntry {
  name: string
  /** code of the kind of debt that is usually owed to them; `agent` for an enforcement firm */
  kind: string
  /** only with a capital letter */
  capital: boolean
}

/** The config's words, ready to be looked up. */
export interface Lexicon {
  topics: PhraseIndex<Topic>
  creditors: PhraseIndex<CreditorEntry>
  councils: PhraseIndex<true>
  /** by the kind of debt that is usually owed to them */
  relations: PhraseIndex<string>
  endings: PhraseIndex<true>
  cues: PhraseIndex<Cue>
  /** codes of the options */
  options: PhraseIndex<string>
  stages: PhraseIndex<true>
  agreed: PhraseIndex<true>
  undecided: PhraseIndex<true>
  rejected: PhraseIndex<true>
  suitable: PhraseIndex<true>
  consent: PhraseIndex<true>
  sensitive: PhraseIndex<true>
  channels: PhraseIndex<string>
  nations: PhraseIndex<string>
  event: PhraseIndex<true>
  problem: PhraseIndex<true>
  document: PhraseIndex<true>
  referral: PhraseIndex<true>
  titles: ReadonlySet<string>
  countNouns: ReadonlySet<string>
  past: ReadonlySet<string>
  labels: ReadonlyMap<string, string>
  labelFillers: ReadonlySet<string>
  /** single words that are no name even with a capital */
  common: ReadonlySet<string>
}

function index(list: string): PhraseIndex<true> {
  const found = new PhraseIndex<true>()
  for (const phrase of phrases(list)) found.add(phrase, true)
  return found
}

function indexGroups(groups: Readonly<Record<string, string>>): PhraseIndex<string> {
  const found = new PhraseIndex<string>()
  for (const [code, list] of Object.entries(groups)) for (const phrase of phrases(list)) found.add(phrase, code)
  return found
}

function indexTopics({ topics }: Words): PhraseIndex<Topic> {
  const found = new PhraseIndex<Topic>()
  for (const { debt, income = false, spending = false, words } of topics) {
    for (const phrase of phrases(words)) found.add(phrase, { debt, income, spending })
  }
  return found
}

function indexCues({ cues }: Words): PhraseIndex<Cue> {
  const found = new PhraseIndex<Cue>()
  for (const cue of CUES) for (const phrase of phrases(cues[cue])) found.add(phrase, cue)
  return found
}

function indexCreditors({ creditors, capital }: Words): PhraseIndex<CreditorEntry> {
  const found = new PhraseIndex<CreditorEntry>()
  const ordinary = new Set(phrases(capital))
  for (const [kind, list] of Object.entries(creditors)) {
    for (const entry of phrases(list)) {
      const [name = '', ...others] = entry.split('=').map(part => part.trim())
      for (const spelling of [name, ...others]) {
        const titled = spelling.charAt(0).toUpperCase() + spelling.slice(1)
        const same = spelling.toLowerCase() === name.toLowerCase()
        found.add(spelling, { name, kind, capital: ordinary.has(titled) || (same && ordinary.has(name)) })
      }
    }
  }
  return found
}

function commonWords({ letter, words }: Config): Set<string> {
  const whole = [...words.topics.map(topic => topic.words), ...Object.values(words.labels), words.grammar_words]
  // of these only what stands alone: "first payment" doesn't make "First" an ordinary word
  const single = [
    ...Object.values(words.cues),
    ...Object.values(words.decision_words),
    ...Object.values(letter.options).map(option => option.words),
    words.sensitive_words,
    words.stages,
    words.event_words,
    words.document_words,
    words.count_nouns
  ].flatMap(list => phrases(list).filter(phrase => !phrase.includes(' ')))
  return new Set(
    [...whole, ...single].flatMap(list => tokenise(list).flatMap(({ kind, lower }) => (kind === 'word' ? [lower] : [])))
  )
}

/** Builds every index once; nothing in it depends on a request. */
export function buildLexicon(config: Config): Lexicon {
  const { letter, words } = config
  const { decision_words: decision } = words
  const options = Object.fromEntries(Object.entries(letter.options).map(([code, option]) => [code, option.words]))
  const labels = Object.entries(words.labels).flatMap(([code, list]) =>
    phrases(list).map(phrase => [phrase, code] as const)
  )
  return {
    topics: indexTopics(words),
    creditors: indexCreditors(words),
    councils: index(words.councils),
    relations: indexGroups(words.relations),
    endings: index(words.organisation_endings),
    cues: indexCues(words),
    options: indexGroups(options),
    stages: index(words.stages),
    agreed: index(decision.agreed),
    undecided: index(decision.undecided),
    rejected: index(decision.rejected),
    suitable: index(decision.suitable),
    consent: index(words.consent_words),
    sensitive: index(words.sensitive_words),
    channels: indexGroups(words.channels),
    nations: indexGroups(words.nations),
    event: index(words.event_words),
    problem: index(words.problem_words),
    document: index(words.document_words),
    referral: index(words.referral_words),
    titles: new Set(phrases(words.titles)),
    countNouns: new Set(phrases(words.count_nouns)),
    past: new Set(phrases(words.past_words)),
    labels: new Map(labels),
    labelFillers: new Set(phrases(words.label_fillers)),
    common: commonWords(config)
  }
}
