/** In place of what is being fetched, in its shape. */
export function Skeleton({ label }: { label: string }) {
  return (
    <div class="card skeleton" aria-busy="true">
      <p class="muted">{label}</p>
      <div class="bone bone-short" />
      <div class="bone bone-box" />
      <div class="bone bone-button" />
    </div>
  )
}
