import { count } from '../logic/words.ts'
import { phase, relayLost, status, workers } from '../state/mesh.ts'

/** How this page stands in the mesh, in a few words. */
export function ConnectionPill() {
  const { tone, text } = standing()
  return (
    <a class={`pill pill-${tone}`} href="#/computers">
      <span class="pill-dot" aria-hidden="true" />
      {text}
    </a>
  )
}

function standing(): { tone: 'good' | 'busy' | 'warn' | 'bad'; text: string } {
  if (phase.value.is === 'joining') return { tone: 'busy', text: 'Joining…' }
  if (phase.value.is === 'shut') return { tone: 'warn', text: 'Not signed in' }
  if (phase.value.is === 'failed') return { tone: 'bad', text: 'Not joined' }
  if (status.value === 'offline' || status.value === 'stopped') return { tone: 'bad', text: 'Offline' }
  if (status.value === 'bridged') return { tone: 'warn', text: 'By web only' }
  const here = workers.value.filter(({ silent }) => !silent).length
  if (relayLost.value) return { tone: 'warn', text: `No relay, ${count(here, 'computer')}` }
  return { tone: here > 0 ? 'good' : 'busy', text: here > 0 ? `${count(here, 'computer')} here` : 'Nobody here yet' }
}
