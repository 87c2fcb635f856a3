import { ArrowLeft } from 'lucide-preact'
import type { ComponentChildren } from 'preact'

export function Back({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <nav aria-label="Back" class="back">
      <a href={href}>
        <ArrowLeft size={18} aria-hidden="true" />
        {children}
      </a>
    </nav>
  )
}
