import type { Amount } from '../text/money.ts'
import type { Token } from '../text/tokens.ts'
import type { Frame } from './frames.ts'

/** A sum with what it is about: the frame before it, the one after it, or both. */
export interface Aligned {
  amount: Amount
  before?: Frame
  after?: Frame
}

// Costs of reading a sum as being about a frame. Only their order matters; they were set on the development notes.
const NOTHING = 4
const UNKNOWN = 1.2
/** a periodic sum that goes on about the debt before it */
const CONTINUED = 1.5
const MAX_DISTANCE = 16
const UNUSED_NAME = 2.5
const UNUSED_TOPIC = 1.2
const CONFLICT = 4
const TURN = 0.6

const TIGHT = new Set(
  'on to with for of in from owed owing at is are was left behind outstanding toward towards by still a an the his her their about approx around roughly = : - – … ( @'.split(
    ' '
  )
)

const LINKS = new Set(['on', 'to', 'with', 'for', 'from', 'in', 'a', 'an', 'his', 'her', 'their', 'the'])

function distance(tokens: readonly Token[], from: number, to: number, side: 'before' | 'after'): number {
  if (to - from > MAX_DISTANCE) return NOTHING + 6
  const linked = side === 'after' && from < to && LINKS.has(tokens[to - 1]?.lower ?? '')
  let cost = side === 'after' && !linked ? 0.8 : 0
  for (let i = from; i < to; i++) {
    const { lower = '' } = tokens[i] ?? {}
    if (lower === ';' || lower === '?') cost += 8
    else if (lower === '.') cost += 0.2
    else if (lower === ',') cost += side === 'after' ? 2.2 : 1.2
    else if (lower === 'and' || lower === '&' || lower === '+' || lower === 'plus') cost += side === 'after' ? 3.5 : 3
    else if (lower === ':' && side === 'after') cost += 5
    else if (lower === ')') cost += side === 'after' ? 1.5 : 0.2
    else if (lower === '|') cost += 0.1
    else cost += TIGHT.has(lower) ? 0.1 : 0.4
  }
  return cost
}

function weak(frame: Frame): boolean {
  return (
    frame.topics.length === 0 &&
    frame.relation == null &&
    (frame.name?.kind === 'name' || frame.name?.kind === 'relation' || frame.name?.kind === 'person')
  )
}

function unused(frame: Frame): number {
  if (weak(frame)) return 0.2
  return frame.name == null ? UNUSED_TOPIC : UNUSED_NAME
}

function bracketed(tokens: readonly Token[], frame: Frame): boolean {
  return tokens[frame.from - 1]?.text === '('
}

/** Says who, by more than "her landlord" or "a credit union". */
function titled(frame: Frame): boolean {
  return frame.name != null && frame.name.kind !== 'relation'
}

function attachCost(tokens: readonly Token[], aligned: Aligned): number {
  const { amount, before, after } = aligned
  if (before == null && after == null) {
    // "£90 on lunches" is about something, if only about what no dictionary knows
    if (['on', 'for', 'from'].includes(tokens[amount.after]?.lower ?? '')) return UNKNOWN
    return amount.period != null && continues(tokens, amount) ? CONTINUED : NOTHING
  }
  let cost = 0
  const complete = (before != null && !titled(before)) !== (after != null && !titled(after))
  if (before != null) cost += distance(tokens, before.to, amount.from, 'before') + (weak(before) ? 0.4 : 0)
  // "loan from Black Horse, £260 a month": a payment, about what went before
  const owed =
    before?.name != null ||
    before?.topics.some(topic => topic.topics.some(({ debt, spending }) => debt != null && !spending))
  if (owed && amount.period != null && tokens[amount.from - 1]?.text === ',') cost += 1.5
  if (after != null) cost += distance(tokens, amount.after, after.from, 'after') + (weak(after) ? 0.4 : 0)
  if (before != null && after != null) {
    const names = titled(before) && titled(after)
    const topics = before.topics.length > 0 && after.topics.length > 0
    // "Lowell are writing about £356 for Three"
    const links = tokens.slice(amount.after, after.from).map(({ lower }) => lower)
    const passedOn = links.includes('for') && (before.name?.entry?.kind === 'collected' || after.topics.length > 0)
    if (names && !passedOn && !bracketed(tokens, after)) cost += CONFLICT
    const thing = (frame: Frame): boolean =>
      frame.name == null && frame.topics.every(topic => topic.topics.every(({ debt }) => debt == null))
    if (topics) cost += thing(before) && after.name != null ? 0.3 : CONFLICT / 2
    cost += complete && (!titled(before) || !titled(after)) ? -1 : 0.3
    if (after.name != null && before.name == null && tokens[amount.after]?.text === ',') cost -= 1.2
    if (after.from === amount.after + 1 && bracketed(tokens, after) && !titled(before)) cost -= 1
  }
  return cost
}

function continues(tokens: readonly Token[], { from }: Amount): boolean {
  const { lower = '' } = tokens[from - 1] ?? {}
  return lower === ',' || lower === 'at' || lower === '@'
}

interface Path {
  cost: number
  choices: Aligned[]
  /** the frame between this sum and the next that is already in use */
  used?: Frame
}

/**
 * Finds, over a whole statement at once, which frame each sum is about. Between two sums only the frame next to each
 * counts, so every sum has four readings, and the cheapest sequence of them is found in one pass.
 */
export function align(tokens: readonly Token[], amounts: readonly Amount[], frames: readonly Frame[]): Aligned[] {
  const gaps: Frame[][] = amounts.map(() => [])
  gaps.push([])
  let gap = 0
  for (const frame of frames) {
    while (gap < amounts.length && (amounts[gap]?.from ?? 0) < frame.from) gap += 1
    gaps[gap]?.push(frame)
  }
  let paths: Path[] = [{ cost: 0, choices: [] }]
  amounts.forEach((amount, i) => {
    const left = gaps[i] ?? []
    const right = gaps[i + 1] ?? []
    const next = new Map<Frame | undefined, Path>()
    for (const path of paths) {
      const last = left.at(-1)
      const befores = last != null && last !== path.used ? [undefined, last] : [undefined]
      for (const before of befores) {
        for (const after of right.length > 0 ? [undefined, right[0]] : [undefined]) {
          const aligned: Aligned = { amount, before, after }
          const idle = left.filter(frame => frame !== before && frame !== path.used)
          const previous = path.choices.at(-1)
          const attached = before != null || after != null
          const turned =
            previous != null &&
            attached &&
            (previous.before != null || previous.after != null) &&
            (previous.after != null) !== (after != null)
              ? TURN
              : 0
          const cost =
            path.cost +
            attachCost(tokens, aligned) +
            turned +
            idle.slice(0, 8).reduce((sum, frame) => sum + unused(frame), 0)
          const best = next.get(after)
          if (best == null || cost < best.cost)
            next.set(after, { cost, choices: [...path.choices, aligned], used: after })
        }
      }
    }
    paths = [...next.values()]
  })
  const end = gaps.at(-1) ?? []
  const total = (path: Path): number =>
    path.cost + end.filter(frame => frame !== path.used).reduce((sum, frame) => sum + unused(frame), 0)
  const { choices } = paths.reduce((best, path) => (total(path) < total(best) ? path : best))
  const [only] = choices
  const named = frames.filter(({ name }) => name != null)
  // one sum and one name in a sentence: they belong together, however far apart
  if (choices.length === 1 && only != null && only.before == null && only.after == null && named.length === 1) {
    const [frame] = named
    if (frame != null && (!weak(frame) || frame === frames[0]))
      return [frame.from < only.amount.from ? { ...only, before: frame } : { ...only, after: frame }]
  }
  return choices
}
