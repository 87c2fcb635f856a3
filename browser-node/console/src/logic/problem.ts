import { asArray, asNumber, asRecord, asString, parseJson } from './json.ts'
import { labelOf, size, upperFirst } from './words.ts'

/** Something went wrong, said so that a person knows what to do. */
export interface Trouble {
  kind: 'busy' | 'nobody' | 'input' | 'too-large' | 'offline' | 'broken' | 'late' | 'refused' | 'cancelled'
  title: string
  advice: string
  /** the machine's own words, for the details */
  detail: string
  code: string | undefined
  status: number | undefined
  /** seconds until another try makes sense */
  retryAfter: number | undefined
  /** the field that is to blame, as the schema names it */
  field: string | undefined
}

export interface FailedAnswer {
  status: number
  retryAfter: string | null
  text: string
}

/** @param service what the page calls it */
export function troubleOf({ status, retryAfter, text }: FailedAnswer, service: string): Trouble {
  const problem = asRecord(parseJson(text)) ?? {}
  const openAi = asRecord(problem.error)
  const detail = asString(problem.detail) ?? asString(openAi?.message) ?? asString(problem.title) ?? text.slice(0, 500)
  const wait = seconds(retryAfter) ?? asNumber(problem.retry_after)
  const trouble = { detail, code: asString(problem.code), status, retryAfter: undefined, field: undefined }
  switch (status) {
    case 429:
      return {
        ...trouble,
        kind: 'busy',
        title: 'Every computer is busy',
        advice: 'All that offer this have as much to do as they can take. Wait a moment, then try again.',
        retryAfter: wait ?? 5
      }
    case 503:
      return {
        ...trouble,
        kind: 'nobody',
        title: 'Nobody offers this right now',
        advice: `No computer that can do “${service}” is here. It works again as soon as one is back.`,
        retryAfter: wait ?? 10
      }
    case 413: {
      const limit = asNumber(problem.limit)
      const most = limit == null ? '' : ` At most ${size(limit)} can be sent.`
      return {
        ...trouble,
        kind: 'too-large',
        title: 'That is too large',
        advice: `Send a smaller file or a shorter text.${most}`
      }
    }
    case 400:
    case 404:
    case 405:
    case 415:
    case 422:
      return {
        ...trouble,
        kind: 'input',
        title: INPUT_TITLES[status] ?? 'Something in the form can’t be used',
        ...inputAdvice(problem, detail)
      }
    case 401:
    case 403:
      return { ...trouble, kind: 'refused', title: 'Not allowed', advice: detail }
    case 504:
      return {
        ...trouble,
        kind: 'late',
        title: 'It took too long',
        advice: 'No answer came in time. Try again, or with less at once.'
      }
    default:
      return {
        ...trouble,
        kind: 'broken',
        title: 'It didn’t work',
        advice: 'The computer that was asked broke off, and no other could step in. Trying again often helps.'
      }
  }
}

const INPUT_TITLES: Record<number, string> = {
  404: 'That wasn’t found',
  415: 'That kind of file can’t be read',
  422: 'Something in the form can’t be used'
}

/** What `fetch` rejected with. */
export function troubleOfError(err: unknown, aborted: boolean): Trouble {
  const base = { code: undefined, status: undefined, retryAfter: undefined, field: undefined }
  if (aborted)
    return { ...base, kind: 'cancelled', title: '', advice: 'You stopped this before it was done.', detail: '' }
  const cause = asRecord(err instanceof Error ? err.cause : undefined)
  const detail = err instanceof Error ? [err.message, asString(cause?.message)].filter(Boolean).join(': ') : String(err)
  const code = asString(cause?.code)
  if (code === 'ClientGone')
    return {
      ...base,
      kind: 'input',
      title: 'The file couldn’t be read',
      advice: 'It may be a folder, or have been moved, changed or deleted since you chose it. Choose it again.',
      detail,
      code
    }
  return {
    ...base,
    kind: 'offline',
    title: 'The answer didn’t arrive',
    advice: 'The connection was lost on the way. Check that you are online, then try again.',
    detail,
    code
  }
}

function seconds(header: string | null): number | undefined {
  if (header == null) return undefined
  const number = Number(header)
  const wait = Number.isFinite(number) ? number : (Date.parse(header) - Date.now()) / 1000
  return Number.isFinite(wait) ? Math.max(1, Math.ceil(wait)) : undefined
}

function inputAdvice(problem: Record<string, unknown>, detail: string): Pick<Trouble, 'advice' | 'field'> {
  const field = fieldOf(problem, detail)
  const words = plainly(detail)
  return { field, advice: words === detail || field == null ? upperFirst(words) : `${labelOf(field)} ${words}.` }
}

/** A validator's sentence without its notation: `body/top_k must be <= 50` → `must be at most 50` */
export function plainly(detail: string): string {
  return detail
    .replace(/^(body|querystring|params)[/.][\w.\-/]+ /, '')
    .replace(/<= ?/g, 'at most ')
    .replace(/>= ?/g, 'at least ')
    .replace(/^must not have fewer than 1 characters$/, 'is needed')
    .replace('must have required properties', 'is missing')
}

/** Services name the field in `field`, in `errors`, or at the head of the sentence: `body/top_k must be …`. */
function fieldOf(problem: Record<string, unknown>, detail: string): string | undefined {
  const listed = asRecord(asArray(problem.errors)[0])
  const named =
    asString(problem.field) ?? asString(listed?.field) ?? asString(listed?.path) ?? asString(listed?.instancePath)
  const path =
    named ?? /(?:body|querystring|params)[/.]([\w.-]+)/.exec(detail)?.[1] ?? /['`"](\w+)['`"]/.exec(detail)?.[1]
  return path?.replace(/^[/.]+/, '').split(/[/.]/)[0]
}
