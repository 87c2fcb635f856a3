/** Pence as a letter writes them: £1,240.00, -£84.00. */
export function formatPence(pence: number): string {
  const sign = pence < 0 ? '-' : ''
  const whole = Math.floor(Math.abs(pence) / 100)
  const rest = String(Math.abs(pence) % 100).padStart(2, '0')
  return `${sign}£${whole.toString().replace(/\B(?=(?:\d{3})+$)/g, ',')}.${rest}`
}

/** Pence on another basis, by how many of each period a year has; half a penny is rounded away from nothing. */
export function convertPence(pence: number, factor: number, basis: number): number {
  const scaled = Math.abs(pence) * factor
  return Math.sign(pence) * Math.floor((2 * scaled + basis) / (2 * basis))
}
