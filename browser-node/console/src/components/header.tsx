import { route } from '../state/route.ts'
import { entries } from '../state/session.ts'
import { ConnectionPill } from './connection-pill.tsx'
import { Logo } from './logo.tsx'
import { ThemeSwitch } from './theme-switch.tsx'

export function Header() {
  const { screen } = route.value
  const current = (here: boolean): 'page' | undefined => (here ? 'page' : undefined)
  return (
    <header class="site-header">
      <div class="container site-header-row">
        <a class="brand" href="#/" aria-label="Hedgerow, start page">
          <Logo />
          <span>Hedgerow</span>
        </a>
        <nav aria-label="Main">
          <a class="nav-link" href="#/" aria-current={current(screen === 'home' || screen === 'task')}>
            Start
          </a>
          <a class="nav-link" href="#/computers" aria-current={current(screen === 'computers' || screen === 'peer')}>
            Computers
          </a>
          <a class="nav-link" href="#/session" aria-current={current(screen === 'session')}>
            Requests
            {entries.value.length > 0 && <span class="count">{entries.value.length}</span>}
          </a>
        </nav>
        <ConnectionPill />
        <ThemeSwitch />
      </div>
    </header>
  )
}
