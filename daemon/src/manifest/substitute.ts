import type { Variables } from './index.ts'

const REFERENCE = /\$(\$\{|\{([^}]*)\})/g
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

/**
 * Replaces `${NAME}` and `${NAME:-default}` (used where the variable is unset or empty); `$${` stands for `${`. Empty counts as
 * not set, as for settings: whoever writes `docker run -e NAME=` means that.
 *
 * @returns the text, or what is wrong with it
 */
export function substitute(text: string, variables: Variables): { text: string } | { error: string } {
  let error: string | undefined
  const replaced = text.replace(REFERENCE, (_whole, _reference, inner: string | undefined) => {
    if (inner == null) return '${'
    const [, name, fallback] = NAME.exec(inner) ?? []
    if (name == null) {
      error ??= `\${${inner}} is not a variable; write \${NAME} or \${NAME:-default}`
      return ''
    }
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value != null && value !== '') return value
    if (fallback != null) return fallback
    error ??= `the variable ${name} is ${value == null ? 'not set' : 'empty'}; set it, or give it a default in the manifest: \${${name}:-default}`
    return ''
  })
  return error == null ? { text: replaced } : { error }
}
