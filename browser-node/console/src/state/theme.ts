import { effect, signal } from '@preact/signals'

export type Theme = 'auto' | 'light' | 'dark'

const KEY = 'hedgerow-theme'
const dark = matchMedia('(prefers-color-scheme: dark)')

export const theme = signal<Theme>(kept())
/** what is shown now */
export const shade = signal<'light' | 'dark'>('light')
export const calm = matchMedia('(prefers-reduced-motion: reduce)')

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY)
    return value === 'light' || value === 'dark' ? value : 'auto'
  } catch {
    // storage is switched off
    return 'auto'
  }
}

function apply(): void {
  shade.value = theme.value === 'auto' ? (dark.matches ? 'dark' : 'light') : theme.value
  document.documentElement.dataset.theme = shade.value
}

effect(apply)
dark.addEventListener('change', apply)

export function setTheme(next: Theme): void {
  theme.value = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // it lasts as long as the page then
  }
}
