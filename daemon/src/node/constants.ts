/**
 * Everything behind one tunnel or NAT comes from one address, so libp2p's default of 5 new connections a second and
 * host refuses the sixth peer. Limits that mean something are per peer and stand elsewhere.
 */
export const INBOUND_CONNECTIONS_PER_SECOND = 500

/** Handshakes under way at once; each holds a socket and a few kilobytes. */
export const MAX_PENDING_INBOUND = 256

/** Connections in all; the least valuable are closed beyond it. */
export const MAX_CONNECTIONS = 1000

/**
 * Bytes of one WebSocket message, which is held in memory before anybody has said who they are. Ours hold one message of
 * Noise, 64 KiB.
 */
export const MAX_WEBSOCKET_MESSAGE = 1024 * 1024

/** Milliseconds between two pings of a WebSocket: Cloudflare cuts one that is idle for 100 s, other proxies after 60 s. */
export const WEBSOCKET_PING_INTERVAL = 30_000

/** Milliseconds for a dial: a relayed connection over a slow line takes 1-3 s. */
export const DIAL_TIMEOUT = 10_000
/** Milliseconds to connect to an address of a private network: who is in it takes a few, who isn't hears nothing. */
export const NEARBY_CONNECT_TIMEOUT = 500

/** Milliseconds a provider record lives: a worker that vanished is forgotten after ten minutes. */
export const PROVIDER_VALIDITY = 10 * 60_000
/** Milliseconds before expiry at which a peer provides again. */
export const REPROVIDE_THRESHOLD = 6 * 60_000
/** Milliseconds between two looks for what must be provided again or has expired. */
export const REPROVIDE_INTERVAL = 60_000

/** Records of one provider: of each service that it may offer, and of what else there is to provide. */
export const MAX_RECORDS_PER_PROVIDER = 72
/** Records of all providers; about 300 bytes each, and every look-up passes all of them. */
export const MAX_PROVIDER_RECORDS = 20_000
/** Addresses of one provider's record. */
export const MAX_PROVIDER_ADDRS = 32

/** Bytes of one gossip RPC; a sealed advert is at most 64 KiB. */
export const MAX_GOSSIP_RPC = 512 * 1024

/** What a worker of ours asks of a relay: enough for answers of a fallback path, not for a day of free transit. */
export const RELAY_RESERVATION_TTL = 60 * 60_000
/**
 * Relays at which a worker keeps a place, and to which it stays connected: any two may die at once. More would cost every
 * relay a place and every advert its addresses.
 */
export const RELAYS_PER_WORKER = 3
/** Workers that one relay keeps reachable. */
export const RELAY_MAX_RESERVATIONS = 512
/** Of these, what clients may hold: they offer nothing, and reserve a place only to see whether they would get one. */
export const RELAY_CLIENT_RESERVATIONS = 32
/** Bytes per relayed connection in each direction: a scanned letter in and out many times over, not a backup. */
export const RELAY_DATA_LIMIT = 1024n ** 3n
/** Milliseconds a relayed connection may last; it is dialled again when it ends. */
export const RELAY_DURATION_LIMIT = 60 * 60_000
/** Relayed connections being opened at once from one peer. */
export const RELAY_MAX_HOP_STREAMS = 256

/**
 * Addresses that a peer announces. All of them go into each identify message, twice, and other implementations read 8
 * KiB of it.
 */
export const MAX_ANNOUNCED_ADDRS = 24

/** WebRTC connections being accepted: each is a native one with threads and sockets, for 10 s if nobody answers. */
export const MAX_PENDING_WEBRTC = 64

/**
 * Milliseconds for which the UDP socket of WebRTC outlives its listener: packets of connections that were just closed
 * still come in, and with the listener gone the native library would end the process over them.
 */
export const WEBRTC_SOCKET_LINGER = 5000

/** Milliseconds to wait for whoever dialled by WebRTC to close its first channel; it does at once, if it does at all. */
export const WEBRTC_INIT_TIMEOUT = 2000
