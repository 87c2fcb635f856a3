import { Moon, Sun, SunMoon } from 'lucide-preact'
import { setTheme, type Theme, theme } from '../state/theme.ts'

const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' }
const WORDS: Record<Theme, string> = { auto: 'as the device', light: 'light', dark: 'dark' }
const ICONS = { auto: SunMoon, light: Sun, dark: Moon }

export function ThemeSwitch() {
  const now = theme.value
  const Icon = ICONS[now]
  const label = `Colours: ${WORDS[now]}. Change to ${WORDS[NEXT[now]]}`
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={() => setTheme(NEXT[now])}>
      <Icon size={20} aria-hidden="true" />
    </button>
  )
}
