import type { View } from '@hedgerow/protocols/view'

/** Names of services that somebody offers now. */
export function offered(view: Pick<View, 'services' | 'candidates'>): string[] {
  return Array.from(view.services(), ({ name }) => name).filter(name => view.candidates(name).length > 0)
}
