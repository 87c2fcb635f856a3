import type { ComponentChildren } from 'preact'

/** A box that scrolls by itself, so that the keyboard must be able to get into it. */
export function Scroller({
  label,
  class: name,
  children
}: {
  label: string
  class: string
  children: ComponentChildren
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take focus, or the keyboard can't scroll it
    <section class={name} aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
