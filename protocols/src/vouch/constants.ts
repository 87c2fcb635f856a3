/** Bytes of a sealed vouch; envelope, key and signature take 200 of them. */
export const MAX_VOUCH_SIZE = 1024

/** Seconds for which a vouch counts; its subject asks for another one every few minutes. */
export const VOUCH_LIFETIME = 10 * 60

/** Seconds by which clocks may differ. */
export const VOUCH_LEEWAY = 15 * 60
