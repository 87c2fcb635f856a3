import { useEffect, useRef } from 'preact/hooks'
import { Banner } from './components/banner.tsx'
import { Footer } from './components/footer.tsx'
import { Header } from './components/header.tsx'
import { LiveRegion } from './components/live-region.tsx'
import { ComputersScreen } from './screens/computers.tsx'
import { HomeScreen } from './screens/home.tsx'
import { LostScreen } from './screens/lost.tsx'
import { PeerScreen } from './screens/peer.tsx'
import { SessionScreen } from './screens/session.tsx'
import { SignInScreen } from './screens/sign-in.tsx'
import { TaskScreen } from './screens/task.tsx'
import { phase } from './state/mesh.ts'
import { type Route, route } from './state/route.ts'

export function App() {
  const main = useRef<HTMLElement>(null)
  const shown = route.value
  const key = JSON.stringify(shown)
  const first = useRef(true)
  // A new screen is read from its heading; the first one is read by the browser itself.
  useEffect(() => {
    const heading = main.current?.querySelector<HTMLElement>('h1')
    if (heading != null) document.title = shown.screen === 'home' ? 'Hedgerow' : `${heading.textContent} · Hedgerow`
    if (!first.current) {
      scrollTo(0, 0)
      heading?.focus({ preventScroll: true })
    }
    first.current = false
  }, [key])
  return (
    <>
      <button type="button" class="skip-link" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Header />
      <Banner />
      <main id="main" ref={main} tabIndex={-1} class="container">
        <Main of={shown} />
      </main>
      <Footer />
      <LiveRegion />
    </>
  )
}

function Main({ of }: { of: Route }) {
  const { value } = phase
  if (value.is === 'failed') return <LostScreen why={value.why} />
  if (value.is === 'shut') return <SignInScreen why={value.why} />
  return <Screen of={of} />
}

function Screen({ of }: { of: Route }) {
  switch (of.screen) {
    case 'task':
      return <TaskScreen key={of.service} service={of.service} operation={of.operation} />
    case 'computers':
      return <ComputersScreen />
    case 'peer':
      return <PeerScreen peerId={of.peerId} />
    case 'session':
      return <SessionScreen />
    default:
      return <HomeScreen />
  }
}
