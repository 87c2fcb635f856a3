import { CircleOff } from 'lucide-preact'

/** A service that nobody offers: what that means, and what can be done. */
export function Nobody({ title }: { title: string }) {
  return (
    <section class="empty card">
      <CircleOff size={36} strokeWidth={1.5} aria-hidden="true" />
      <h2>Nobody offers this right now</h2>
      <p>
        “{title}” becomes available by itself as soon as a computer that can do it joins; you needn’t reload the page.
      </p>
      <a href="#/">Pick something else</a>
    </section>
  )
}
