import { CloudOff, Unplug } from 'lucide-preact'
import { isOpen, phase, relayLost, status } from '../state/mesh.ts'

/** What is wrong with the connection as a whole, across the page, as long as it lasts. */
export function Banner() {
  if (phase.value.is !== 'joined') return <div role="status" class="banner-place" />
  const trouble = troubleNow()
  return (
    <div role="status" class="banner-place">
      {trouble != null && (
        <div class={`banner banner-${trouble.tone}`}>
          <div class="container banner-row">
            {trouble.tone === 'bad' ? (
              <CloudOff size={20} aria-hidden="true" />
            ) : (
              <Unplug size={20} aria-hidden="true" />
            )}
            <p>
              <strong>{trouble.title}</strong> {trouble.text}
            </p>
          </div>
        </div>
      )}
    </div>
  )
}

function troubleNow(): { tone: 'bad' | 'warn'; title: string; text: string } | undefined {
  if (status.value === 'offline')
    return {
      tone: 'bad',
      title: 'You are offline.',
      text: 'No computer can be reached from this page right now. It keeps trying, and what you filled in stays here.'
    }
  if (status.value === 'stopped') return { tone: 'bad', title: 'This page has left.', text: 'Reload it to come back.' }
  if (status.value === 'bridged')
    return {
      tone: 'warn',
      title: 'Everything goes through the relay’s web address.',
      text: 'Direct connections aren’t possible from here now, so the relay could read what you send.'
    }
  if (relayLost.value)
    return {
      tone: 'warn',
      title: 'The relay is gone.',
      text: 'Computers that you are connected to still answer. New ones are found again when a relay is back.'
    }
  if (isOpen.value)
    return {
      tone: 'warn',
      title: 'This mesh is open.',
      text: 'Anybody may lend a computer to it, and would see what is sent there.'
    }
  return undefined
}
