/** How busy a computer is; the words say the same as the bar. */
export function LoadBar({ share }: { share: number }) {
  const percent = Math.round(share * 100)
  const words = percent === 0 ? 'idle' : percent >= 100 ? 'fully at work' : `${percent} % at work`
  return (
    <span class="load">
      <svg class="load-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="load-ground" width="100" height="8" rx="4" />
        <rect class="load-fill" width={Math.max(percent, percent > 0 ? 8 : 0)} height="8" rx="4" />
      </svg>
      <span>{words}</span>
    </span>
  )
}
