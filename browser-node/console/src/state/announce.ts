import { signal } from '@preact/signals'

/** What a screen reader says next; one place, so that announcements don't talk over one another. */
export const announcement = signal('')

export function announce(text: string): void {
  // The same words twice in a row are news too.
  announcement.value = announcement.value === text ? `${text}\u00A0` : text
}
