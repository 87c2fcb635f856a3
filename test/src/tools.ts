/**
 * Brings the programs that several suites need, before any of them runs: suites run side by side, and one that finds a
 * package half installed by another would take it for whole. What can't be had is for each suite to tell.
 */
import { findBrowser } from './browser.ts'
import { fakeTime } from './clock.ts'
import { canMakeHosts } from './hosts.ts'
import { hasStunServer } from './nats.ts'
import { hasPromtool } from './prometheus.ts'

canMakeHosts()
hasStunServer()
findBrowser()
hasPromtool()
fakeTime()
