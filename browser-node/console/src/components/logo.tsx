export function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" class="logo">
      <rect width="32" height="32" rx="9" class="logo-ground" />
      <g fill="none" stroke="#fff" stroke-width="2.2" stroke-linecap="round">
        <path d="M6 24h20M10 24V14M16 24V9M22 24V14" />
      </g>
      <g fill="#fff">
        <circle cx="10" cy="12" r="3" />
        <circle cx="16" cy="8" r="3" />
        <circle cx="22" cy="12" r="3" />
      </g>
    </svg>
  )
}
