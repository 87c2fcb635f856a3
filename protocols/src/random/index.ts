const POOL_SIZE = 4096
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const pool = new Uint8Array(POOL_SIZE)
let used = POOL_SIZE

/** Unguessable bytes in hex. Drawn from a pool: one call to the system for hundreds of ids. */
export function randomHex(bytes: number): string {
  if (used + bytes > POOL_SIZE) {
    crypto.getRandomValues(pool)
    used = 0
  }
  let hex = ''
  for (const end = used + bytes; used < end; used++) hex += HEX[pool[used] ?? 0]
  return hex
}
