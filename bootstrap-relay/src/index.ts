/**
 * A relay of a Hedgerow mesh: bootstrap, circuit relay v2 and HTTP bridge on one port. It holds no state that others
 * can't do without; any number run side by side.
 */
export { createRelay, type Relay, type RelayInit } from './relay.ts'
export { type RelaySettings, readRelaySettings } from './settings.ts'
