/**
 * How confidential a request is, and who may see it. Three classes every mesh has, each of which includes those below
 * it; a mesh may name more of its own, which include nothing but themselves.
 *
 * @example
 * ```ts
 * maySee(['confidential'], 'internal') // true
 * stricter('public', 'internal') // 'internal'
 * ```
 */

/** From the least confidential on. */
export const DATA_CLASSES = ['public', 'internal', 'confidential'] as const

/** What everybody in an open mesh may see: nobody there has shown who they are. */
export const OPEN_CLASSES: readonly string[] = ['public', 'internal']

const LADDER: readonly string[] = DATA_CLASSES
const rankOf = (name: string): number => LADDER.indexOf(name)

/** Whether somebody with these classes may see data of that one. */
export function maySee(classes: readonly string[], dataClass: string): boolean {
  if (classes.includes(dataClass)) return true
  const rank = rankOf(dataClass)
  return rank !== -1 && classes.some(name => rankOf(name) > rank)
}

/** The classes that both may see. */
export function seenByBoth(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])].filter(name => maySee(one, name) && maySee(other, name))
}

/** The one that more data hides behind. A class of the mesh's own is never lowered to another. */
export function stricter(inherited: string | undefined, own: string | undefined): string | undefined {
  if (inherited == null || own == null) return inherited ?? own
  if (rankOf(inherited) === -1) return inherited
  return rankOf(own) === -1 || rankOf(own) > rankOf(inherited) ? own : inherited
}
