/** Where a peer asks another to dial it. */
export const DIAL_BACK_PATH = '/dial-back'

/** Milliseconds for one dial, name and handshakes included. */
export const DIAL_BACK_TIMEOUT = 8000

/** Dials under way at once, for all who ask. */
export const MAX_DIAL_BACKS = 8

/** For one peer: a few tries when its address is new, then one every few minutes. */
export const DIAL_BACK_RATE = { perSecond: 0.1, burst: 6 }

/** To one host, whoever asks: many who agree on a victim come to no more than this. */
export const TARGET_RATE = { perSecond: 0.1, burst: 6 }

/** For everybody together. */
export const DIAL_BACKS_RATE = { perSecond: 4, burst: 40 }

/** Characters of an address to dial. */
export const MAX_DIAL_BACK_ADDR = 200

/** Addresses that a name may stand for; with more, or with one that may not be dialled, it isn't dialled at all. */
export const MAX_RESOLVED = 16
