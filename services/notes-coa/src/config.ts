import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { PERIODS, type Period } from './types.ts'

const Text = Type.String({ minLength: 1 })
const Texts = Type.Array(Text)
/** Phrases with commas in between. */
const Phrases = Type.String({ minLength: 1 })
const Unknown = Type.Union([Text, Type.Null()])
const strict = { additionalProperties: false }

const DebtKind = Type.Object(
  { name: Text, priority: Type.Union([Type.Boolean(), Type.Null()]), consequence: Unknown },
  strict
)
const Option = Type.Object(
  {
    name: Text,
    words: Phrases,
    nations: Texts,
    summary: Text,
    advantages: Text,
    risks: Text,
    cost: Text,
    credit_file: Text,
    assets: Text,
    ask: Type.Optional(Texts)
  },
  strict
)
const PeriodText = Type.Object({ factor: Type.Integer({ minimum: 1, maximum: 366 }), each: Text, name: Text }, strict)

const PeriodName = Type.Union([
  Type.Literal('day'),
  Type.Literal('week'),
  Type.Literal('fortnight'),
  Type.Literal('4-weeks'),
  Type.Literal('month'),
  Type.Literal('quarter'),
  Type.Literal('year')
])

const LetterFile = Type.Object(
  {
    as_of: Text,
    confirmed_by: Unknown,
    confirmed_on: Unknown,
    words: Text,
    template: Text,
    organisation: Type.Object(
      { name: Unknown, address: Unknown, phone: Unknown, email: Unknown, status: Unknown, complaints: Unknown },
      strict
    ),
    about: Texts,
    basis: PeriodName,
    periods: Type.Object(
      Object.fromEntries(PERIODS.map(period => [period, PeriodText])) as Record<Period, typeof PeriodText>,
      strict
    ),
    debt_kinds: Type.Record(Type.String(), DebtKind),
    options: Type.Record(Type.String(), Option),
    general_consequences: Texts,
    rests_on: Texts,
    consent_text: Texts,
    priority_text: Text,
    unconfirmed_text: Text,
    draft_text: Text,
    rephrase_starters: Phrases
  },
  strict
)

const Groups = Type.Record(Type.String(), Phrases)

const Topic = Type.Object(
  {
    debt: Type.Optional(Text),
    income: Type.Optional(Type.Boolean()),
    spending: Type.Optional(Type.Boolean()),
    words: Phrases
  },
  strict
)
const LISTS = [
  'grammar_words',
  'organisation_endings',
  'titles',
  'count_nouns',
  'councils',
  'capital',
  'label_fillers',
  'stages',
  'consent_words',
  'sensitive_words',
  'event_words',
  'past_words',
  'problem_words',
  'document_words',
  'referral_words'
] as const
export const CUES = [
  'owe',
  'arrears',
  'earn',
  'spend',
  'total',
  'surplus',
  'deficit',
  'other',
  'payment',
  'nil',
  'all_debts',
  'all_income',
  'all_spending'
] as const
export type Cue = (typeof CUES)[number]
const DECISIONS = ['agreed', 'undecided', 'rejected', 'suitable'] as const

function each<K extends string>(keys: readonly K[]): Record<K, typeof Phrases> {
  return Object.fromEntries(keys.map(key => [key, Phrases])) as Record<K, typeof Phrases>
}

const WordsFile = Type.Object(
  {
    as_of: Text,
    topics: Type.Array(Topic),
    cues: Type.Object(each(CUES), strict),
    creditors: Groups,
    relations: Groups,
    labels: Groups,
    channels: Groups,
    nations: Groups,
    decision_words: Type.Object(each(DECISIONS), strict),
    ...each(LISTS)
  },
  strict
)

export type LetterConfig = Static<typeof LetterFile>
export type Words = Static<typeof WordsFile>
export type OptionText = Static<typeof Option>

export interface Config {
  letter: LetterConfig
  words: Words
  template: string
  /** everything that config and template may put into a letter, for the self-check */
  literals: string
}

/** A config file that can't be used; its message names the file and the field. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

async function readChecked<T extends TSchema>(path: string, schema: T): Promise<Static<T>> {
  let data: unknown
  try {
    data = parse(await readFile(path, 'utf8'))
  } catch (err) {
    throw new ConfigError(`${path}: ${err instanceof Error ? err.message : String(err)}`, { cause: err })
  }
  if (Value.Check(schema, data)) return data
  const [first] = Value.Errors(schema, data)
  throw new ConfigError(`${path}: ${first?.instancePath || '/'} ${first?.message ?? 'is not valid'}`)
}

/** The phrases of a list that is written with commas in between. */
export function phrases(list: string): string[] {
  return list
    .split(',')
    .map(phrase => phrase.trim())
    .filter(phrase => phrase !== '')
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (value == null || typeof value !== 'object') return []
  return Object.values(value).flatMap(strings)
}

/** Reads the letter's config, and the words and the template that it names beside it. */
export async function loadConfig(path: string): Promise<Config> {
  const letter = await readChecked(path, LetterFile)
  const folder = dirname(path)
  const words = await readChecked(resolve(folder, letter.words), WordsFile)
  const templatePath = resolve(folder, letter.template)
  const template = await readFile(templatePath, 'utf8').catch((err: unknown) => {
    throw new ConfigError(`${templatePath}: ${err instanceof Error ? err.message : String(err)}`, { cause: err })
  })
  for (const kind of words.topics
    .flatMap(({ debt }) => (debt == null ? [] : [debt]))
    .concat(Object.keys(words.creditors), Object.keys(words.relations))) {
    if (letter.debt_kinds[kind] == null)
      throw new ConfigError(`${path}: debt_kinds has no ${kind}, which ${letter.words} names`)
  }
  const named = Object.values(words.creditors).flatMap(list =>
    phrases(list).map(entry => entry.split('=')[0]?.trim() ?? '')
  )
  return {
    letter,
    words,
    template,
    literals: [
      template,
      ...strings(letter),
      ...named,
      ...Object.keys(words.channels),
      ...Object.keys(words.nations)
    ].join('\n')
  }
}
