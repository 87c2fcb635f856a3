import { Check, Copy } from 'lucide-preact'
import { useState } from 'preact/hooks'
import { announce } from '../state/announce.ts'

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [done, setDone] = useState(false)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setDone(true)
      announce('Copied.')
      setTimeout(() => setDone(false), 2000)
    } catch {
      announce('Copying isn’t allowed here; select the text instead.')
    }
  }
  return (
    <button type="button" class="link-button" onClick={() => void copy()}>
      {done ? <Check size={16} aria-hidden="true" /> : <Copy size={16} aria-hidden="true" />} {done ? 'Copied' : label}
    </button>
  )
}
